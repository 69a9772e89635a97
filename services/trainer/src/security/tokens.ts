/**
 * Tokens that callers show, and the file of their hashes. A token is 256 random bits, so that a plain SHA-256 keeps it: no
 * dictionary has it, and a slow hash would only slow calls down.
 */

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Role } from '@glocal/proto/glocal/v1/study_service';
import { ConfigError } from '../config/errors.ts';
import { waysTo } from '../config/settings.ts';
import { isOwner, nameOfRole, ROLE_NAMES, roleNamed } from '../resource/caller.ts';
import { quoteCell } from '../resource/quote.ts';

/** Whose a token is. */
export interface TokenGrant {
  readonly owner: string;
  readonly role: Role;
  /** Until when it is taken; undefined for ever. */
  readonly expires?: Date | undefined;
}

interface Entry extends TokenGrant {
  readonly hash: Buffer;
}

/** Tells secrets of this product from others, for people and for programs that look for leaked ones. */
const PREFIX = 'glocal_';

/** A new token, to be shown once. */
export const makeToken = (): string => PREFIX + randomBytes(32).toString('base64url');

/** What the file has in place of a token. */
export const hashToken = (token: string): Buffer => createHash('sha256').update(token).digest();

/** The line of the file for a token. */
export function tokenLine(token: string, { owner, role, expires }: TokenGrant): string {
  const line = `${hashToken(token).toString('hex')} ${owner} ${nameOfRole(role)}`;
  return expires === undefined ? line : `${line} ${expires.toISOString()}`;
}

/** Whether an owner can be in the file, where spaces part what a line has. */
export const isTokenOwner = (text: string): boolean => isOwner(text) && !/[\s#]/.test(text);

/** The tokens of a file. */
export class TokenTable {
  readonly #entries: readonly Entry[];

  private constructor(entries: readonly Entry[]) {
    this.#entries = entries;
  }

  /**
   * One a line: `HASH OWNER ROLE [EXPIRES]`. Empty lines and what follows a `#` are left out.
   * @throws ConfigError naming the line.
   */
  static parse(text: string): TokenTable {
    const lines = text.split('\n').map((line) => line.replace(/#.*/, '').trim());
    const entries = lines.flatMap((line, i) => (line === '' ? [] : [parseLine(line, i + 1)]));
    if (entries.length === 0) throw new ConfigError(`${waysTo('tokenFile')}: the file has no token`);
    return new TokenTable(entries);
  }

  /** Whose token has this hash, in time that says nothing about the others; undefined for nobody's. */
  find(hash: Buffer): TokenGrant | undefined {
    let found: Entry | undefined;
    for (const entry of this.#entries) if (timingSafeEqual(entry.hash, hash)) found = entry;
    return found;
  }
}

function parseLine(line: string, number: number): Entry {
  const wrong = (what: string) => new ConfigError(`${waysTo('tokenFile')}: line ${number}: ${what}`);
  const [hash = '', owner = '', roleName = '', until, ...others] = line.split(/\s+/);
  // What stands there instead may be a token: it is not repeated.
  if (!/^[0-9a-f]{64}$/i.test(hash)) {
    throw wrong('does not begin with the SHA-256 of a token; `glocal-trainer token` makes lines');
  }
  if (!isTokenOwner(owner)) throw wrong('has no owner of 1 to 200 visible characters after the hash');
  const role = roleNamed(roleName);
  if (role === undefined) throw wrong(`${quoteCell(roleName)} is no role; give ${ROLE_NAMES.join(', ')}`);
  const expires = until === undefined ? undefined : new Date(until);
  if (Number.isNaN(expires?.getTime()) || others.length > 0) {
    throw wrong('has something else than a time like 2030-01-31T12:00:00Z after the role');
  }
  return { hash: Buffer.from(hash, 'hex'), owner, role, expires };
}
