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
 */
export async function certificate(name: string, ca?: Certificate): Promise<Certificate> {
  const { cert, private: key } = await generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: ca === undefined },
      { name: 'subjectAltName', altNames: [{ type: 2, value: name }] },
    ],
    ...(ca && { ca }),
  });
  return { cert, key };
}
