/** The Secrets that whoever installs the chart has made, and what clients show. */

import { createHash, randomBytes } from 'node:crypto';
import { type Certificate, certificate } from '../../support/certificates.ts';
import type { Manifest } from '../cluster/manifests.ts';

const OWNER = 'ada';

/** Names in the cluster. */
export const SERVER = 'glocal.glocal.svc';
export const DATABASE = 'postgres.example.svc';

export interface Keys {
  readonly authority: Certificate;
  readonly server: Certificate;
  readonly client: Certificate;
  readonly database: Certificate;
  readonly token: string;
  readonly password: string;
}

export async function makeKeys(password: string): Promise<Keys> {
  const authority = await certificate('authority.example');
  return {
    authority,
    server: await certificate(SERVER, authority),
    client: await certificate('client.example', authority),
    database: await certificate(DATABASE, authority),
    token: `glocal_${randomBytes(32).toString('base64url')}`,
    password,
  };
}

export const secret = (name: string, stringData: Readonly<Record<string, string>>): Manifest => ({
  ...{ apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData },
});

/** As `glocal-trainer token` writes it. */
export const tokenLine = (token: string, role = 'write'): string =>
  `${createHash('sha256').update(token).digest('hex')} ${OWNER} ${role}\n`;

/** What values.yaml names, and what is named by default. */
export function secrets({ authority, server, token, password }: Keys): Manifest[] {
  return [
    secret('glocal-tls', { 'tls.crt': server.cert, 'tls.key': server.key, 'ca.crt': authority.cert }),
    secret('glocal-client-ca', { 'ca.crt': authority.cert }),
    secret('glocal-tokens', { tokens: tokenLine(token) }),
    secret('glocal-database-ca', { 'ca.crt': authority.cert }),
    secret('glocal-database', {
      ...{ host: DATABASE, port: '5432', dbname: 'glocal', username: 'glocal', password },
    }),
  ];
}
