/** Finds out who calls: by a token of the file, by a JSON Web Token, or by the certificate of the connection. */

import type { PeerCertificate } from 'node:tls';
import type { Caller, Role } from '@glocal/proto/glocal/v1/study_service';
import type { Logger } from 'pino';
import { authenticates } from '../config/security.ts';
import type { Settings } from '../config/settings.ts';
import { isOwner, roleNamed } from '../resource/caller.ts';
import { AuthenticationError } from './errors.ts';
import { WatchedFiles } from './files.ts';
import { JwtVerifier } from './jwt.ts';
import { hashToken, type TokenGrant, TokenTable } from './tokens.ts';

/** What a call shows. */
export interface Credentials {
  /** The metadata `authorization`. */
  readonly authorization: string | undefined;
  /** Of the connection, checked. */
  readonly certificate: PeerCertificate | undefined;
}

/** A caller who is known. */
export interface Admission {
  readonly caller: Readonly<Caller>;
  /** Why they would not be admitted any more: a call may go on for days. */
  readonly refusal: () => AuthenticationError | undefined;
}

export class Authenticator implements Disposable {
  readonly #tokens: WatchedFiles<TokenTable> | undefined;
  readonly #jwt: JwtVerifier | undefined;
  readonly #certificateRole: Role | undefined;

  private constructor(
    tokens: WatchedFiles<TokenTable> | undefined,
    jwt: JwtVerifier | undefined,
    certificateRole: Role | undefined,
  ) {
    this.#tokens = tokens;
    this.#jwt = jwt;
    this.#certificateRole = certificateRole;
  }

  /**
   * Undefined when callers are not asked who they are.
   * @throws ConfigError naming the setting whose file cannot be used.
   */
  static async open(
    settings: Settings,
    log: Pick<Logger, 'info' | 'error'>,
  ): Promise<Authenticator | undefined> {
    if (!authenticates(settings)) return undefined;
    const { tokenFile: path, jwtKeys, tlsClientRole } = settings;
    const parse = ([content]: readonly Buffer[]) => TokenTable.parse(content?.toString() ?? '');
    return new Authenticator(
      path === undefined ? undefined : await WatchedFiles.open([{ setting: 'tokenFile', path }], parse, log),
      jwtKeys === undefined ? undefined : await JwtVerifier.open(settings, jwtKeys, log),
      tlsClientRole && roleNamed(tlsClientRole),
    );
  }

  /** @throws AuthenticationError, KeysUnavailableError */
  async admit({ authorization, certificate }: Credentials): Promise<Admission> {
    if (authorization === undefined) return this.#admitCertificate(certificate);
    const [, token] = authorization.match(/^bearer +(\S+)$/i) ?? [];
    if (token === undefined) throw new AuthenticationError('NO_TOKEN', HOW);
    const hash = hashToken(token);
    const granted = this.#tokens?.current.find(hash);
    if (granted !== undefined) return this.#admitToken(hash, granted);
    if (this.#jwt !== undefined && JwtVerifier.accepts(token)) return admitJwt(this.#jwt, token);
    throw unknownToken();
  }

  [Symbol.dispose](): void {
    this.#tokens?.[Symbol.dispose]();
    this.#jwt?.[Symbol.dispose]();
  }

  #admitToken(hash: Buffer, { owner, role, expires }: TokenGrant): Admission {
    if (hasPassed(expires)) throw expired();
    const refusal = () => {
      const still = this.#tokens?.current.find(hash);
      if (still === undefined || still.owner !== owner || still.role < role) return unknownToken();
      return hasPassed(still.expires) ? expired() : undefined;
    };
    return { caller: { owner, role }, refusal };
  }

  #admitCertificate(certificate: PeerCertificate | undefined): Admission {
    const role = this.#certificateRole;
    if (role === undefined) throw new AuthenticationError('NO_TOKEN', HOW);
    const owner: unknown = certificate?.subject.CN;
    if (typeof owner !== 'string' || !isOwner(owner)) {
      const message =
        'the certificate of the connection has no common name that says whose it is; use one that has';
      throw new AuthenticationError('NO_OWNER', message);
    }
    return { caller: { owner, role }, refusal: () => undefined };
  }
}

const HOW = 'this server asks who its callers are; send the metadata `authorization: Bearer TOKEN`';

async function admitJwt(jwt: JwtVerifier, token: string): Promise<Admission> {
  const { caller, expires } = await jwt.verify(token);
  return { caller, refusal: () => (hasPassed(expires) ? expired() : undefined) };
}

const hasPassed = (time: Date | undefined): boolean => time !== undefined && time.getTime() <= Date.now();
const expired = () => new AuthenticationError('EXPIRED_TOKEN', 'the token has expired; get a new one');
const unknownToken = () =>
  new AuthenticationError(
    'UNKNOWN_TOKEN',
    "the token is not one of this server's; ask for one where it is run",
  );
