import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Role } from '@glocal/proto/glocal/v1/study_service';
import { pino } from 'pino';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { ConfigError } from '../config/errors.ts';
import { type AuditLog, openAuditLog, recordOf } from './audit.ts';

const folder = mkdtempSync(join(tmpdir(), 'glocal-audit-'));
afterAll(() => rmSync(folder, { recursive: true }));

const call = {
  method: '/glocal.v1.StudyService/CancelStudy',
  requestId: 'r',
  peer: '127.0.0.1:5',
  caller: { owner: 'ada', role: Role.WRITE },
};
const record = recordOf(call, 'studies/a', 'OK');
const lines = (file: string) =>
  readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

let audit: AuditLog | undefined;
afterEach(() => audit?.[Symbol.dispose]());

describe('records of changes', () => {
  it('are lines of their file, after those that it has', () => {
    const file = join(folder, 'audit.log');
    for (const resource of ['studies/a', 'studies/b']) {
      using log = openAuditLog(file, pino({ level: 'silent' }));
      log.write(recordOf(call, resource, 'OK'));
    }
    expect(lines(file)).toMatchObject([
      {
        audit: true,
        owner: 'ada',
        role: 'write',
        method: call.method,
        resource: 'studies/a',
        code: 'OK',
        requestId: 'r',
      },
      { resource: 'studies/b' },
    ]);
  });

  it('go on in a new file when theirs was moved away', async () => {
    const file = join(folder, 'rotated.log');
    audit = openAuditLog(file, pino({ level: 'silent' }));
    audit.write(record);
    renameSync(file, `${file}.1`);
    await vi.waitFor(
      () => {
        audit?.write(record);
        expect(lines(file).length).toBeGreaterThan(0);
      },
      { timeout: 30_000, interval: 200 },
    );
    expect(lines(`${file}.1`).length).toBeGreaterThan(0);
  });

  it('are in the log of the server where no file is named', () => {
    const said: string[] = [];
    const log = pino({}, { write: (line: string) => void said.push(line) });
    audit = openAuditLog(undefined, log);
    audit.write(record);
    expect(said.map((line) => JSON.parse(line))).toMatchObject([
      { audit: true, owner: 'ada', resource: 'studies/a' },
    ]);
  });

  it('keep the server from starting when their file cannot be written', () => {
    const open = () => openAuditLog(join(folder, 'none', 'audit.log'), pino({ level: 'silent' }));
    expect(open).toThrow(ConfigError);
    expect(open).toThrow(/^--audit-log \(GLOCAL_AUDIT_LOG\): cannot write the file: ENOENT/);
  });
});
