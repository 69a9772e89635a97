import { createHash } from 'node:crypto';
import { Role } from '@glocal/proto/glocal/v1/study_service';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../config/errors.ts';
import { hashToken, makeToken, TokenTable, tokenLine } from './tokens.ts';

const HASH = 'a'.repeat(64);

describe('a token', () => {
  it('is random, and of enough bits that nobody guesses it', () => {
    const [one, other] = [makeToken(), makeToken()];
    expect(one).toMatch(/^glocal_[\w-]{43}$/);
    expect(one).not.toBe(other);
  });

  it('is in the file as its SHA-256 alone', () => {
    const token = makeToken();
    const line = tokenLine(token, { owner: 'ada', role: Role.READ, expires: new Date(0) });
    const hash = createHash('sha256').update(token).digest('hex');
    expect(line).toBe(`${hash} ada read 1970-01-01T00:00:00.000Z`);
  });
});

describe('the file of tokens', () => {
  it('has a token on each line, among comments and empty lines', () => {
    const [ada, bob] = [makeToken(), makeToken()];
    const expires = new Date('2100-01-31T12:00:00Z');
    const lines = [
      ...['# ours', '', `${tokenLine(ada, { owner: 'ada', role: Role.ADMIN })}  # since May`],
      ...[tokenLine(bob, { owner: 'bob@example.org', role: Role.WRITE, expires }), ''],
    ];
    const table = TokenTable.parse(lines.join('\n'));
    expect(table.find(hashToken(ada))).toMatchObject({ owner: 'ada', role: Role.ADMIN, expires: undefined });
    expect(table.find(hashToken(bob))).toMatchObject({ owner: 'bob@example.org', role: Role.WRITE, expires });
    expect(table.find(hashToken(makeToken()))).toBeUndefined();
  });

  it.each([
    ['', /--token-file \(GLOCAL_TOKEN_FILE\): the file has no token$/],
    ['# nothing yet\n', /the file has no token$/],
    [`# ours\nglocal_secret ada write`, /line 2: does not begin with the SHA-256 of a token/],
    [HASH, /line 1: has no owner/],
    [`${HASH} ada`, /line 1: "" is no role; give read, write, admin$/],
    [`${HASH} ada owner`, /line 1: "owner" is no role/],
    [`${HASH} ada toString`, /line 1: "toString" is no role/],
    [`${HASH} ada read tomorrow`, /line 1: has something else than a time/],
    [`${HASH} ada read 2030-01-31T12:00:00Z more`, /line 1: has something else than a time/],
    [`${HASH} ${'x'.repeat(201)} read`, /line 1: has no owner/],
  ])('is refused with the line that is wrong, and without repeating a token: %j', (text, message) => {
    expect(() => TokenTable.parse(text)).toThrow(ConfigError);
    expect(() => TokenTable.parse(text)).toThrow(message);
    expect(() => TokenTable.parse(text)).not.toThrow(/secret/);
  });
});
