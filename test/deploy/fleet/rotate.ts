/** Secrets that are replaced while pods run: who gets in with what, as soon as that has reached them. */

import { randomBytes } from 'node:crypto';
import { GlocalClient, GlocalError } from '@glocal/sdk';
import { certificate } from '../../support/certificates.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { fingerprint, until } from '../look.ts';
import { type Keys, SERVER, secret, tokenLine } from '../secrets.ts';

export interface Rotated {
  /** Whether new connections got the new certificate. */
  readonly certificate: boolean;
  /** Whether the new token was taken, with the old one beside it. */
  readonly token: boolean;
  /** What the old token was refused with, once its line was gone. */
  readonly old: string;
}

/** @param address of the servers, host:port. */
export async function rotate(cluster: Cluster, address: string, keys: Keys): Promise<Rotated> {
  const { authority, client, token } = keys;
  const codeWith = async (shown: string): Promise<string> => {
    const tls = { ca: authority.cert, cert: client.cert, key: client.key, serverName: SERVER };
    try {
      await using asked = await GlocalClient.connect({ address, tls, token: shown });
      return (await asked.serverInfo()).caller?.owner ?? 'nobody';
    } catch (error) {
      return error instanceof GlocalError ? `${error.code} ${error.reason}` : String(error);
    }
  };
  const fresh = `glocal_${randomBytes(32).toString('base64url')}`;
  const next = await certificate(SERVER, authority);
  const ofServer = () => fingerprint(address, { ca: authority.cert, ...client, servername: SERVER });
  const before = await ofServer();
  await cluster.apply([
    secret('glocal-tls', { 'tls.crt': next.cert, 'tls.key': next.key, 'ca.crt': authority.cert }),
    secret('glocal-tokens', { tokens: tokenLine(token) + tokenLine(fresh) }),
  ]);
  const exchanged = await until(async () => (await ofServer()) !== before);
  const taken = await until(
    async () => (await codeWith(fresh)) === 'ada' && (await codeWith(token)) === 'ada',
  );
  await cluster.apply([secret('glocal-tokens', { tokens: tokenLine(fresh) })]);
  await until(async () => (await codeWith(token)) !== 'ada');
  return { certificate: exchanged, token: taken, old: await codeWith(token) };
}
