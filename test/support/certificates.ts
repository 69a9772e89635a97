/** Certificates for tests of TLS. */

import { generate } from 'selfsigned';

/** PEM texts. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/**
 * A certificate for a host or a client of this name.
 * @param ca signs it; without one it is an authority itself.
 * @param expired whether its last day is over.
 */
export async function certificate(name: string, ca?: Certificate, expired = false): Promise<Certificate> {
  const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000);
  const { cert, private: key } = await generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    algorithm: 'sha256',
    ...(expired && { notBeforeDate: daysAgo(30), notAfterDate: daysAgo(1) }),
    extensions: [
      { name: 'basicConstraints', cA: ca === undefined },
      { name: 'subjectAltName', altNames: [{ type: 2, value: name }] },
    ],
    ...(ca && { ca }),
  });
  return { cert, key };
}
