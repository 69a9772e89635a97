/** Variables of a container, from where its manifest says that they come. */

import { hostname } from 'node:os';
import type { ContainerSpec, EnvVar } from '../objects.ts';
import { contentOf, type Lookup, MissingObjectError } from './volumes.ts';

/** Who the pod is. */
export interface Identity {
  readonly name: string;
  readonly namespace: string;
  readonly address: string;
  readonly lookup: Lookup;
}

/** @throws MissingObjectError for what a kubelet waits for. */
export function variablesOf(
  { env = [], envFrom = [] }: ContainerSpec,
  identity: Identity,
): Record<string, string> {
  const found: Record<string, string> = {};
  for (const { prefix = '', secretRef, configMapRef } of envFrom) {
    const ref = secretRef ?? configMapRef;
    if (ref === undefined) continue;
    const kind = secretRef === undefined ? 'ConfigMap' : 'Secret';
    const object = identity.lookup(kind, ref.name);
    if (object === undefined && !ref.optional)
      throw new MissingObjectError(`there is no ${kind} ${ref.name}`);
    const content = object === undefined ? new Map<string, Buffer>() : contentOf(object);
    for (const [key, value] of content) found[prefix + key] = value.toString();
  }
  for (const variable of env) {
    const value = valueFor(variable, identity);
    if (value !== undefined) found[variable.name] = substitute(value, found);
  }
  return found;
}

/** `$(NAME)` becomes the variable's value, where there is one. */
export const substitute = (text: string, env: Readonly<Record<string, string>>): string =>
  text.replace(/\$\(([A-Za-z_][A-Za-z0-9_]*)\)/g, (whole, name) => env[name] ?? whole);

function valueFor({ name, value = '', valueFrom }: EnvVar, identity: Identity): string | undefined {
  if (valueFrom === undefined) return value;
  const { secretKeyRef, configMapKeyRef, fieldRef } = valueFrom;
  const ref = secretKeyRef ?? configMapKeyRef;
  if (ref !== undefined) {
    const kind = secretKeyRef === undefined ? 'ConfigMap' : 'Secret';
    const object = identity.lookup(kind, ref.name);
    const found = object && contentOf(object).get(ref.key);
    if (found === undefined && !ref.optional) {
      throw new MissingObjectError(`variable ${name}: there is no key ${ref.key} of ${kind} ${ref.name}`);
    }
    return found?.toString();
  }
  const fields: Readonly<Record<string, string>> = {
    'metadata.name': identity.name,
    'metadata.namespace': identity.namespace,
    'metadata.uid': identity.name,
    'status.podIP': identity.address,
    'spec.nodeName': hostname(),
  };
  const field = fieldRef && fields[fieldRef.fieldPath];
  if (field === undefined) throw new Error(`variable ${name} has a source that nothing here knows`);
  return field;
}
