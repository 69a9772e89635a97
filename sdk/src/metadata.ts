/** What a caller sends along with a call beside its request. */

import { Metadata } from '@grpc/grpc-js';
import type { CallOptions } from './options.ts';

/** Keys that are written below the caller, and why. */
const RESERVED: Readonly<Record<string, string>> = {
  authorization: 'give the option token of the client',
  'x-request-id': 'each call gets its own',
  'user-agent': 'it names the SDK',
  'content-type': 'gRPC writes it',
  te: 'gRPC writes it',
  host: 'HTTP writes it',
  connection: 'HTTP writes it',
};

/** What is wrong with a key of metadata, if anything. */
export function keyProblem(key: string): string | undefined {
  const name = key.toLowerCase();
  if (!/^[0-9a-z_.-]+$/.test(name)) return 'is no key of metadata: letters, digits, _, - and . make one';
  if (name.startsWith('grpc-')) return 'is reserved: keys of gRPC itself begin so';
  const reason = Object.hasOwn(RESERVED, name) ? RESERVED[name] : undefined;
  return reason === undefined ? undefined : `is reserved: ${reason}`;
}

/** What is wrong with the value of a key, if anything. Values may be secrets: they are not repeated. */
export function valueProblem(key: string, value: unknown): string | undefined {
  if (key.toLowerCase().endsWith('-bin')) {
    return value instanceof Uint8Array ? undefined : 'is not a Uint8Array, which keys in -bin have';
  }
  return typeof value === 'string' && /^[\x20-\x7e]*$/.test(value)
    ? undefined
    : 'is not a string of printable ASCII characters; bytes go under a key in -bin';
}

/** As gRPC takes it. */
export function metadataOf(entries: CallOptions['metadata'] = {}): Metadata {
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(entries)) {
    metadata.set(key, typeof value === 'string' ? value : Buffer.from(value));
  }
  return metadata;
}
