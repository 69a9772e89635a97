/** The Secrets that whoever installs the chart has made, and what clients show. */

import { createHash, randomBytes } from 'node:crypto';
import { type Certificate, certificate } from '../support/certificates.ts';
import type { Manifest } from './objects.ts';

const OWNER = 'ada';

/** Names in the cluster. */
export const SERVER = 'glocal.glocal.svc';
export const DMD = 'glocal-dmd.glocal.svc';
export const DATABASE = 'postgres.example.svc';

export interface Keys {
  readonly authority: Certificate;
  readonly server: Certificate;
  readonly client: Certificate;
  readonly database: Certificate;
  /** Of a DMD service of its own, and of those who call it. */
  readonly dmd: Certificate;
  readonly dmdClient: Certificate;
  readonly token: string;
  readonly password: string;
}

/** @param database the name that the database is reached by. */
export async function makeKeys(password: string, database = DATABASE): Promise<Keys> {
  const authority = await certificate('authority.example');
  return {
    authority,
    server: await certificate(SERVER, authority),
    client: await certificate('client.example', authority),
    database: await certificate(database, authority),
    ...(await makeDmdKeys(authority)),
    token: `glocal_${randomBytes(32).toString('base64url')}`,
    password,
  };
}

/** Certificates of a DMD service and of its callers. */
export async function makeDmdKeys(authority: Certificate): Promise<Pick<Keys, 'dmd' | 'dmdClient'>> {
  return {
    dmd: await certificate(DMD, authority),
    dmdClient: await certificate('callers.example', authority),
  };
}

export const secret = (name: string, stringData: Readonly<Record<string, string>>): Manifest => ({
  ...{ apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData },
});

/** As `glocal-trainer token` writes it. */
export const tokenLine = (token: string, role = 'write'): string =>
  `${createHash('sha256').update(token).digest('hex')} ${OWNER} ${role}\n`;

/** A `kubernetes.io/tls` Secret with the roots that the certificate leads to. */
export const tlsSecret = (name: string, { cert, key }: Certificate, authority: Certificate): Manifest =>
  secret(name, { 'tls.crt': cert, 'tls.key': key, 'ca.crt': authority.cert });

/** What is named by default, and what values of tests name. */
export function secrets({ authority, server, dmd, dmdClient, token, password }: Keys): Manifest[] {
  return [
    tlsSecret('glocal-tls', server, authority),
    tlsSecret('glocal-dmd-tls', dmd, authority),
    tlsSecret('glocal-dmd-client-tls', dmdClient, authority),
    secret('glocal-dmd-token', { token: password.replaceAll(' ', '-') }),
    secret('glocal-client-ca', { 'ca.crt': authority.cert }),
    secret('glocal-tokens', { tokens: tokenLine(token) }),
    secret('glocal-database-ca', { 'ca.crt': authority.cert }),
    secret('glocal-database', {
      ...{ host: DATABASE, port: '5432', dbname: 'glocal', username: 'glocal', password },
    }),
  ];
}
