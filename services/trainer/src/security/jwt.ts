/** JSON Web Tokens of callers, signed by somebody whom the configuration trusts. */

import { type Caller, Role } from '@glocal/proto/glocal/v1/study_service';
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
} from 'jose';
import type { Logger } from 'pino';
import { ConfigError } from '../config/errors.ts';
import { urlOf } from '../config/security.ts';
import { type Settings, waysTo } from '../config/settings.ts';
import { isOwner, ROLE_NAMES, roleNamed } from '../resource/caller.ts';
import { AuthenticationError, KeysUnavailableError } from './errors.ts';
import { WatchedFiles } from './files.ts';

/** Signatures that whoever can check them cannot make. */
const ALGORITHMS = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];

/** Where the keys come from that have signed tokens. */
interface Keys extends Disposable {
  readonly find: JWTVerifyGetKey;
}

/** What a token says. */
export interface JwtGrant {
  readonly caller: Caller;
  readonly expires: Date;
}

export class JwtVerifier implements Disposable {
  readonly #settings: Settings;
  readonly #keys: Keys;

  private constructor(settings: Settings, keys: Keys) {
    this.#settings = settings;
    this.#keys = keys;
  }

  /** @throws ConfigError when the file of keys cannot be used. Keys at a URL that is down may come later. */
  static async open(
    settings: Settings,
    keys: string,
    log: Pick<Logger, 'info' | 'error'>,
  ): Promise<JwtVerifier> {
    const url = urlOf(keys);
    return new JwtVerifier(settings, url === undefined ? await keysOfFile(keys, log) : keysOfUrl(url, log));
  }

  /** Whether it is a token of this kind at all. */
  static accepts(token: string): boolean {
    return /^[\w-]+\.[\w-]+\.[\w-]+$/.test(token);
  }

  /** @throws AuthenticationError, KeysUnavailableError */
  async verify(token: string): Promise<JwtGrant> {
    const { jwtIssuer: issuer, jwtAudience: audience, jwtClockTolerance: clockTolerance } = this.#settings;
    try {
      const { payload } = await jwtVerify(token, this.#keys.find, {
        ...(issuer !== undefined && { issuer }),
        ...(audience !== undefined && { audience }),
        ...{ algorithms: ALGORITHMS, clockTolerance, requiredClaims: ['exp'] },
      });
      const expires = new Date(((payload.exp ?? 0) + clockTolerance) * 1_000);
      return { caller: { owner: this.#ownerIn(payload), role: this.#roleIn(payload) }, expires };
    } catch (error) {
      throw refusal(error);
    }
  }

  [Symbol.dispose](): void {
    this.#keys[Symbol.dispose]();
  }

  #ownerIn(payload: JWTPayload): string {
    const claim = this.#settings.jwtOwnerClaim;
    const owner = payload[claim];
    if (typeof owner === 'string' && isOwner(owner)) return owner;
    const message = `the token does not say whose it is: its claim "${claim}" must have 1 to 200 visible characters`;
    throw new AuthenticationError('NO_OWNER', message);
  }

  #roleIn(payload: JWTPayload): Role {
    const claim = this.#settings.jwtRoleClaim;
    if (claim === undefined) return Role.WRITE;
    const named = [payload[claim]]
      .flat()
      .flatMap((value) => (typeof value === 'string' ? value.split(' ') : []));
    const roles = named.flatMap((name) => roleNamed(name) ?? []);
    if (roles.length > 0) return Math.max(...roles) as Role;
    const message = `the token gives no role: its claim "${claim}" must have one of ${ROLE_NAMES.join(', ')}`;
    throw new AuthenticationError('NO_ROLE', message);
  }
}

async function keysOfFile(path: string, log: Pick<Logger, 'info' | 'error'>): Promise<Keys> {
  const watched = await WatchedFiles.open([{ setting: 'jwtKeys', path }], parseKeys, log);
  return {
    find: (header, token) => watched.current(header, token),
    [Symbol.dispose]: () => watched[Symbol.dispose](),
  };
}

function parseKeys([content]: readonly Buffer[]): JWTVerifyGetKey {
  try {
    return createLocalJWKSet(JSON.parse(content?.toString() ?? ''));
  } catch (error) {
    throw new ConfigError(
      `${waysTo('jwtKeys')}: the file is no JSON Web Key Set: ${(error as Error).message}`,
    );
  }
}

/** Kept for ten minutes, and asked for again when a token names a key that is not among them. */
function keysOfUrl(url: URL, log: Pick<Logger, 'error'>): Keys {
  const find = createRemoteJWKSet(url);
  // At the start, so that whoever starts the server is told.
  find.reload().catch((error: unknown) => {
    const reason = whyUnavailable(error);
    log.error(
      { url: url.href, reason },
      'the keys of JSON Web Tokens cannot be fetched; it is tried again with each call',
    );
  });
  return { find, [Symbol.dispose]: () => {} };
}

/** What the caller is told. A fault of whoever has the keys is not theirs. */
function refusal(error: unknown): Error {
  if (error instanceof AuthenticationError) return error;
  if (error instanceof errors.JWTExpired) {
    return new AuthenticationError('EXPIRED_TOKEN', 'the token has expired; get a new one', { cause: error });
  }
  const unavailable =
    !(error instanceof errors.JOSEError) ||
    [errors.JWKSTimeout.code, errors.JWKSInvalid.code, errors.JOSEError.code].includes(error.code);
  if (unavailable) {
    const message = 'the keys to check the token with cannot be fetched for now; try again';
    return new KeysUnavailableError(message, { cause: error });
  }
  return new AuthenticationError('INVALID_TOKEN', `the token is not valid here: ${error.message}`, {
    cause: error,
  });
}

function whyUnavailable(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? `${message}: ${cause.message}` : message;
}
