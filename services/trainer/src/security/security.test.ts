import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Role } from '@glocal/proto/glocal/v1/study_service';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../config.ts';
import { openSecurity } from './security.ts';
import { makeToken, tokenLine } from './tokens.ts';

const folder = mkdtempSync(join(tmpdir(), 'glocal-security-'));
const tokens = ['--token-file', join(folder, 'tokens')];
beforeAll(() => {
  writeFileSync(join(folder, 'tokens'), tokenLine(makeToken(), { owner: 'ada', role: Role.READ }));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What the settings come to, and the warnings of the log. */
async function open(...args: string[]) {
  const said: string[] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => void said.push(JSON.parse(line).msg) });
  using security = await openSecurity(readConfig(args, '1'), log);
  return { asks: security.authenticator !== undefined, records: security.audit !== undefined, said };
}

describe('security', () => {
  it('asks nobody and records nothing without settings', async () => {
    expect(await open()).toEqual({ asks: false, records: false, said: [] });
  });

  it('records changes when it is known who makes them, or where', async () => {
    expect(await open(...tokens)).toEqual({ asks: true, records: true, said: [] });
    expect(await open('--audit-log', join(folder, 'audit.log'))).toMatchObject({
      asks: false,
      records: true,
    });
  });

  it('warns of tokens that travel in clear text', async () => {
    const { said } = await open(...tokens, '--listen', '0.0.0.0:0', '--insecure');
    expect(said).toEqual([expect.stringMatching(/^tokens travel in clear text/)]);
  });
});
