/** The chart's schema of values, its examples and its templates, without Helm. */

import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { configVariables } from '@glocal/trainer/testing';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { CHART } from './manifests.ts';

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly definitions?: Readonly<Record<string, Schema>>;
  readonly $ref?: string;
}
const schema = JSON.parse(readFileSync(join(CHART, 'values.schema.json'), 'utf8')) as Schema;
const validate = new Ajv({ allErrors: true, allowUnionTypes: true }).compile(schema);
const valuesOf = (file: string): unknown => parse(readFileSync(join(CHART, file), 'utf8'));
const defaults = valuesOf('values.yaml') as Readonly<Record<string, unknown>>;

/** Where values are wrong, and what with. */
function faults(values: unknown): string[] {
  validate(values);
  return (validate.errors ?? []).map(({ instancePath, message, params }) => {
    const { additionalProperty: key } = params as { additionalProperty?: string };
    return `${instancePath}${key === undefined ? '' : `/${key}`} ${message}`;
  });
}

describe('the schema', () => {
  it.each(globSync('values*.yaml', { cwd: CHART }))('accepts %s', (file) => {
    expect(faults(valuesOf(file))).toEqual([]);
  });

  it.each([
    [{ workers: {} }, '/workers must NOT have additional properties'],
    [{ worker: { runner: 'cron' } }, '/worker/runner must be equal to one of the allowed values'],
    [{ worker: { replicas: '3' } }, '/worker/replicas must be integer'],
    [{ worker: { settings: { maxSteps: 0 } } }, '/worker/settings/maxSteps must be >= 1'],
    [
      { worker: { settings: { listen: '0.0.0.0:1' } } },
      '/worker/settings/listen must NOT have additional properties',
    ],
    [{ server: { drainSeconds: 0 } }, '/server/drainSeconds must be >= 1'],
    [{ server: { image: 'trainer:1' } }, '/server/image must be object'],
    [{ server: { resources: { limits: { memory: '1 GB' } } } }, '/server/resources/limits/memory must match'],
    [{ store: { type: 'mysql' } }, '/store/type must be equal to one of the allowed values'],
    [{ store: { postgresql: { port: 70_000 } } }, '/store/postgresql/port must be <= 65535'],
    [{ tls: { secretName: 'Not_A_Name' } }, '/tls/secretName must match pattern'],
    [{ auth: { jwt: { keys: 'http://issuer/keys' } } }, '/auth/jwt/keys must match pattern'],
    [{ dmd: { settings: { limits: { rows: 1 } } } }, '/dmd/settings/limits/rows must NOT have additional'],
    [{ networkPolicy: { clients: [{}] } }, '/networkPolicy/clients/0 must NOT have fewer than 1 properties'],
    [{ commonLabels: { team: 1 } }, '/commonLabels/team must be string'],
  ])('refuses %j and names the key', (values, message) => {
    expect(faults(values)).toContainEqual(expect.stringContaining(message));
  });

  it('knows every key of the defaults, and has a default for each that it knows', () => {
    const missing = (node: Schema, values: unknown, path: string): string[] =>
      Object.entries(resolved(node).properties ?? {}).flatMap(([key, inner]) => {
        const at = `${path}.${key}`;
        if (/\.(settings|global|tag|requests|limits)$|\.image\.|^\.dmd\.settings/.test(at)) return [];
        if (typeof values !== 'object' || values === null || !(key in values)) return [at];
        return missing(inner, (values as Record<string, unknown>)[key], at);
      });
    expect(missing(schema, defaults, '')).toEqual([]);
  });

  it('has the settings of the trainer that the chart does not make itself', () => {
    const known = Object.keys(schema.definitions?.serverSettings?.properties ?? {}).map(variableOf);
    const made = globSync('templates/_trainer.tpl', { cwd: CHART }).flatMap((file) => [
      ...readFileSync(join(CHART, file), 'utf8').matchAll(/\bGLOCAL_[A-Z_]+\b/g),
    ]);
    const all = [...known, ...made.map(([name]) => name), ...LEFT_OUT];
    const variables = configVariables().map(({ variable }) => variable);
    expect(variables.filter((name) => !all.includes(name))).toEqual([]);
    expect(known.filter((name) => !variables.includes(name))).toEqual([]);
    const common = Object.keys(schema.definitions?.settings?.properties ?? {}).map(variableOf);
    expect(known.filter((name) => !common.includes(name))).toEqual(['GLOCAL_MAX_RUNNING_TRIALS']);
  });
});

/** Settings of which the chart makes nothing: arguments, files of the image, and what extraEnv may say. */
const LEFT_OUT = [
  ...['GLOCAL_ROLE', 'GLOCAL_ONCE', 'GLOCAL_ONCE_NO_WORK_OK', 'GLOCAL_CONFIG', 'GLOCAL_DMD_BINARY'],
  ...['GLOCAL_AUDIT_LOG', 'GLOCAL_DMD_TLS_DOMAIN', 'GLOCAL_EXIT_WITH_STDIN'],
];

const variableOf = (key: string): string =>
  `GLOCAL_${key.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;

const resolved = (node: Schema): Schema =>
  node.$ref === undefined ? node : (schema.definitions?.[basename(node.$ref)] ?? {});

describe('the templates', () => {
  const files = globSync(['templates/*', 'templates/tests/*'], { cwd: CHART }).filter((file) =>
    /\.(yaml|tpl|txt)$/.test(file),
  );
  const texts = files.map((file) => [file, readFileSync(join(CHART, file), 'utf8')] as const);
  const all = texts.map(([, text]) => text).join('\n');

  it.each(texts)('%s uses values that there are', (_, text) => {
    const paths = [...text.matchAll(/\.Values((?:\.[a-zA-Z0-9]+)+)/g)].map(([, path = '']) => path.slice(1));
    const isThere = (path: string): boolean => {
      let node: unknown = defaults;
      for (const key of path.split('.')) {
        if (typeof node !== 'object' || node === null || !(key in node)) return false;
        node = (node as Record<string, unknown>)[key];
      }
      return true;
    };
    expect(paths.filter((path) => !isThere(path))).toEqual([]);
  });

  it.each(texts)('%s closes what it opens', (_, text) => {
    const actions = [...text.matchAll(/\{\{-?\s*(?:\/\*[\s\S]*?\*\/|(\w+))/g)].map(([, word = '']) => word);
    const opened = actions.filter((word) => ['if', 'with', 'range', 'define'].includes(word));
    expect(actions.filter((word) => word === 'end')).toHaveLength(opened.length);
  });

  it('include what is defined, and define what is included', () => {
    const named = (word: string) =>
      [...new Set([...all.matchAll(new RegExp(`${word} "([\\w.]+)"`, 'g'))].map(([, name]) => name))].sort();
    expect(named('include')).toEqual(named('define'));
  });
});
