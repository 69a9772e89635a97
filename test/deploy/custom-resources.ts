/** Whether objects of KEDA, cert-manager and Prometheus's operator are what those projects' own definitions say, taken from their modules. */

import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { execa } from 'execa';
import { parse } from 'yaml';
import type { Manifest } from './objects.ts';

/** Modules, with their versions, and where their definitions are in them. */
const MODULES: readonly (readonly [module: string, files: string])[] = [
  ['github.com/kedacore/keda/v2@v2.21.0', 'config/crd/bases/*.yaml'],
  ['github.com/cert-manager/cert-manager@v1.21.2', 'deploy/crds/*.yaml'],
  [
    'github.com/prometheus-operator/prometheus-operator@v0.85.0',
    'example/prometheus-operator-crd/*_{servicemonitors,prometheusrules}.yaml',
  ],
];

interface Definition {
  readonly spec: {
    readonly group: string;
    readonly names: { readonly kind: string };
    readonly versions: readonly { readonly name: string; readonly schema: { openAPIV3Schema: Node } }[];
  };
}

/** A part of a schema. */
interface Node {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly items?: Node;
  readonly additionalProperties?: Node | boolean;
  readonly pattern?: string;
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
  readonly 'x-kubernetes-int-or-string'?: boolean;
}

/** Faults of an object, a line each; undefined for a kind that is not known. */
export type CheckCustomResource = (manifest: Manifest) => string[] | undefined;

/** Reads the definitions, which Go downloads once. */
export async function customResources(): Promise<CheckCustomResource> {
  const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });
  const schemas = new Map<string, Node>();
  for (const [module, files] of MODULES) {
    const { stdout } = await execa('go', ['mod', 'download', '-json', module], { cwd: '/' });
    const { Dir: folder } = JSON.parse(stdout) as { Dir: string };
    for (const file of globSync(files, { cwd: folder })) {
      const { spec } = parse(readFileSync(join(folder, file), 'utf8'), { maxAliasCount: -1 }) as Definition;
      for (const { name, schema } of spec.versions) {
        schemas.set(`${spec.group}/${name} ${spec.names.kind}`, schema.openAPIV3Schema);
      }
    }
  }
  return (manifest) => {
    const schema = schemas.get(`${manifest.apiVersion} ${manifest.kind}`);
    if (schema === undefined) return undefined;
    const validate = ajv.compile(strict(schema));
    validate(manifest);
    return (validate.errors ?? []).map(({ instancePath, message, params }) =>
      [instancePath, message, JSON.stringify(params)].join(' '),
    );
  };
}

/** As an API server with strict field validation reads it: what is not named is refused. */
function strict(node: Node): object {
  if (node['x-kubernetes-int-or-string']) return { type: ['integer', 'string'] };
  const { properties, items, additionalProperties: more, pattern, ...others } = node;
  const isOpen = node['x-kubernetes-preserve-unknown-fields'] || properties === undefined;
  return {
    ...others,
    ...(more === true && { additionalProperties: true }),
    // Go has flags in the middle of an expression, for upper and lower case; JavaScript does not.
    ...(pattern !== undefined && !pattern.includes('(?') && { pattern }),
    ...(properties && {
      properties: Object.fromEntries(Object.entries(properties).map(([key, inner]) => [key, strict(inner)])),
    }),
    ...(items && { items: strict(items) }),
    ...(typeof more === 'object'
      ? { additionalProperties: strict(more) }
      : !isOpen && { additionalProperties: false }),
  };
}
