import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Config, ConfigError, readConfig } from './config.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'glocal-config-'));
  for (const name of Object.keys(process.env)) if (name.startsWith('GLOCAL_')) vi.stubEnv(name, undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

function file(text: string): string {
  const path = join(folder, 'trainer.toml');
  writeFileSync(path, text);
  return path;
}

const read = (...args: string[]): Config => readConfig(args, '1.2.3');

/** What a wrong configuration is refused with. */
function refusal(...args: string[]): ConfigError {
  try {
    read(...args);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  return expect.unreachable('it was accepted');
}

describe('the configuration', () => {
  it('has a default for everything', () => {
    expect(read()).toMatchObject({
      listen: '127.0.0.1:50061',
      store: expect.stringMatching(/studies\.db$/),
      dmdBinary: expect.stringMatching(/target\/release\/glocal-dmd$/),
      dmdRetrySeconds: 60,
      maxRunningTrials: 1,
      maxActiveStudies: 100,
      maxOwnerActiveStudies: 100,
      maxSteps: 10_000_000,
      maxWatchers: 1_000,
      maxWatchBytes: 268_435_456,
      maxArtifactBytes: 1_073_741_824,
      maxOwnerArtifactBytes: 10_737_418_240,
      logLevel: 'info',
      exitWithStdin: false,
    });
    const { dmd, backend } = read();
    expect({ dmd, backend }).toEqual({ dmd: undefined, backend: undefined });
  });

  it.each<[flag: string, variable: string, text: string, Partial<Config>]>([
    ['--listen', 'GLOCAL_LISTEN', 'localhost:0', { listen: 'localhost:0' }],
    ['--store', 'GLOCAL_STORE', 'some.db', { store: 'some.db' }],
    ['--dmd-address', 'GLOCAL_DMD_ADDRESS', '127.0.0.7:50062', { dmd: { address: '127.0.0.7:50062' } }],
    ['--dmd-binary', 'GLOCAL_DMD_BINARY', 'some/dmd', { dmdBinary: 'some/dmd' }],
    ['--dmd-retry-seconds', 'GLOCAL_DMD_RETRY_SECONDS', '0.5', { dmdRetrySeconds: 0.5 }],
    ['--backend', 'GLOCAL_BACKEND', 'wasm', { backend: 'wasm' }],
    ['--max-running-trials', 'GLOCAL_MAX_RUNNING_TRIALS', '3', { maxRunningTrials: 3 }],
    ['--max-active-studies', 'GLOCAL_MAX_ACTIVE_STUDIES', '4', { maxActiveStudies: 4 }],
    [
      '--max-owner-active-studies',
      'GLOCAL_MAX_OWNER_ACTIVE_STUDIES',
      '2',
      { maxOwnerActiveStudies: 2, maxActiveStudies: 100 },
    ],
    ['--max-steps', 'GLOCAL_MAX_STEPS', '5', { maxSteps: 5 }],
    ['--max-watchers', 'GLOCAL_MAX_WATCHERS', '6', { maxWatchers: 6 }],
    ['--max-watch-bytes', 'GLOCAL_MAX_WATCH_BYTES', '1000000', { maxWatchBytes: 1_000_000 }],
    ['--max-artifact-bytes', 'GLOCAL_MAX_ARTIFACT_BYTES', '1', { maxArtifactBytes: 1 }],
    ['--max-owner-artifact-bytes', 'GLOCAL_MAX_OWNER_ARTIFACT_BYTES', '2', { maxOwnerArtifactBytes: 2 }],
    ['--log-level', 'GLOCAL_LOG_LEVEL', 'warn', { logLevel: 'warn' }],
  ])('takes %s as a flag or from %s', (flag, variable, text, expected) => {
    expect(read(flag, text)).toMatchObject(expected);
    vi.stubEnv(variable, text);
    expect(read()).toMatchObject(expected);
  });

  it('allows one owner as many active studies as all together unless told otherwise', () => {
    expect(read('--max-active-studies', '4').maxOwnerActiveStudies).toBe(4);
  });

  it('prefers a flag to a variable, that to the file, and that to the default', () => {
    vi.stubEnv('GLOCAL_CONFIG', file('max_steps = 3\nmax_watchers = 3\nmax_running_trials = 3\n'));
    vi.stubEnv('GLOCAL_MAX_STEPS', '5');
    vi.stubEnv('GLOCAL_MAX_WATCHERS', '5');
    const config = read('--max-steps', '7');
    const { maxSteps, maxWatchers, maxRunningTrials, maxActiveStudies, sources } = config;
    expect([maxSteps, maxWatchers, maxRunningTrials, maxActiveStudies]).toEqual([7, 5, 3, 100]);
    expect(sources).toMatchObject({
      ...{ maxSteps: 'flag', maxWatchers: 'variable', maxRunningTrials: 'file', maxActiveStudies: 'default' },
    });
  });

  it('takes the file that --config names, and checks addresses in it', () => {
    expect(read('--config', file('dmd_address = "127.0.0.7:50062"')).dmd).toMatchObject({
      address: '127.0.0.7:50062',
    });
    expect(refusal('--config', file('listen = "0.0.0.0:1"'))).toMatchObject({
      exitCode: 64,
      message: expect.stringContaining('0.0.0.0 can be reached from other machines'),
    });
  });

  it.each([
    ['--max-steps', 'GLOCAL_MAX_STEPS', '0'],
    ['--max-steps', 'GLOCAL_MAX_STEPS', '1.5'],
    ['--max-running-trials', 'GLOCAL_MAX_RUNNING_TRIALS', '-1'],
    ['--max-active-studies', 'GLOCAL_MAX_ACTIVE_STUDIES', 'many'],
    ['--max-watchers', 'GLOCAL_MAX_WATCHERS', '2147483648'],
    ['--dmd-retry-seconds', 'GLOCAL_DMD_RETRY_SECONDS', '0'],
    // Longer than a timer takes, which would not wait at all.
    ['--drain-seconds', 'GLOCAL_DRAIN_SECONDS', '3e6'],
    ['--backend', 'GLOCAL_BACKEND', 'gpu'],
    ['--log-level', 'GLOCAL_LOG_LEVEL', 'loud'],
    ['--listen', 'GLOCAL_LISTEN', 'nonsense'],
    ['--listen', 'GLOCAL_LISTEN', 'localhost:65536'],
    ['--dmd-address', 'GLOCAL_DMD_ADDRESS', 'nonsense'],
    ['--dmd-address', 'GLOCAL_DMD_ADDRESS', 'localhost:0'],
  ])('refuses %s or %s of "%s" in one line that names it', (flag, variable, text) => {
    const given = refusal(flag, text);
    expect(given.exitCode).toBe(64);
    expect(given.message).toContain(flag);
    expect(given.message).not.toContain('\n');
    vi.stubEnv(variable, text);
    const fromEnvironment = refusal();
    expect(fromEnvironment.exitCode).toBe(64);
    expect(fromEnvironment.message).toContain(variable);
  });

  it('takes a role of a fleet where there is a database, and one trial at a time from workers', () => {
    const store = 'postgres://glocal@127.0.0.1/glocal';
    expect(read('--role', 'worker', '--store', store, '--once')).toMatchObject({
      role: 'worker',
      once: true,
    });
    // A worker does not listen.
    expect(read('--role', 'worker', '--store', store, '--listen', '0.0.0.0:1')).toMatchObject({
      role: 'worker',
    });
    for (const other of ['memory:', 'some.db']) {
      expect(refusal('--role', 'server', '--store', other)).toMatchObject({
        exitCode: 64,
        message: expect.stringMatching(
          /^--role \(GLOCAL_ROLE\): servers and workers share a PostgreSQL database/,
        ),
      });
    }
    expect(refusal('--once')).toMatchObject({
      exitCode: 64,
      message: '--once (GLOCAL_ONCE): is for --role worker; this is --role all',
    });
    expect(refusal('--once-no-work-ok')).toMatchObject({
      exitCode: 64,
      message: '--once-no-work-ok (GLOCAL_ONCE_NO_WORK_OK): is for --once',
    });
  });

  it.each([['--wrong'], ['surplus'], ['--store']])('refuses %s alone', (argument) => {
    expect(refusal(argument)).toMatchObject({ exitCode: 64, message: expect.stringContaining(argument) });
  });

  it.each([
    ['--help', 'Usage: glocal-trainer'],
    ['--version', '1.2.3'],
  ])('prints what %s asks for, and ends with code 0', (flag, text) => {
    const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    expect(refusal(flag)).toMatchObject({ exitCode: 0, message: '' });
    expect(write.mock.calls.join('')).toContain(text);
  });
});

describe('an address that other machines reach', () => {
  it.each(['0.0.0.0:1', '[::]:1', '192.168.0.1:1', 'example.org:1'])('is refused: %s', (address) => {
    expect(refusal('--listen', address)).toMatchObject({
      exitCode: 64,
      message: expect.stringMatching(/--listen \(GLOCAL_LISTEN\).*--insecure/),
    });
  });

  it.each(['127.0.0.1:1', '127.9.9.9:1', 'localhost:1', '[::1]:1'])('is not what %s is', (address) => {
    expect(read('--listen', address).listen).toBe(address);
  });

  it('is taken with --insecure', () => {
    expect(read('--listen', '0.0.0.0:1', '--insecure').listen).toBe('0.0.0.0:1');
  });

  it.each(['true', '1', 'yes'])('is taken with GLOCAL_INSECURE=%s', (text) => {
    vi.stubEnv('GLOCAL_INSECURE', text);
    expect(read('--listen', '0.0.0.0:1').listen).toBe('0.0.0.0:1');
  });

  it.each(['false', '0', 'no', ''])('is refused with GLOCAL_INSECURE=%s', (text) => {
    vi.stubEnv('GLOCAL_INSECURE', text);
    expect(refusal('--listen', '0.0.0.0:1').message).toContain('can be reached from other machines');
  });

  it('is refused with a GLOCAL_INSECURE that is neither yes nor no', () => {
    vi.stubEnv('GLOCAL_INSECURE', 'perhaps');
    expect(refusal('--listen', '0.0.0.0:1').message).toContain('GLOCAL_INSECURE');
  });
});

describe('security', () => {
  const tls = ['--tls-certificate', 'c', '--tls-key', 'k'];
  const jwt = ['--jwt-keys', 'keys', '--jwt-issuer', 'i', '--jwt-audience', 'a'];
  const elsewhere = ['--listen', '0.0.0.0:1'];

  it.each([
    [[...tls, '--token-file', 't']],
    [[...tls, ...jwt]],
    [[...tls, '--tls-client-ca', 'ca', '--tls-client-role', 'write']],
  ])('allows to listen where other machines come, with TLS and callers who are known: %j', (args) => {
    expect(read(...elsewhere, ...args).listen).toBe('0.0.0.0:1');
  });

  it.each([
    [
      [],
      'give TLS (--tls-certificate, --tls-key) and authentication (--token-file, --jwt-keys or --tls-client-role)',
    ],
    [tls, '; give authentication'],
    [[...tls, '--tls-client-ca', 'ca'], '; give authentication'],
    [['--token-file', 't'], '; give TLS (--tls-certificate, --tls-key), listen'],
    [jwt, '; give TLS (--tls-certificate, --tls-key), listen'],
  ])('does not without both: %j', (args, message) => {
    expect(refusal(...elsewhere, ...args)).toMatchObject({
      exitCode: 64,
      message: expect.stringContaining(message),
    });
    expect(read(...elsewhere, ...args, '--insecure').listen).toBe('0.0.0.0:1');
  });

  it.each([
    [['--tls-certificate', 'c'], '--tls-certificate (GLOCAL_TLS_CERTIFICATE): give --tls-key, too'],
    [['--tls-key', 'k'], '--tls-key (GLOCAL_TLS_KEY): give --tls-certificate, too'],
    [['--tls-client-ca', 'ca'], '--tls-client-ca (GLOCAL_TLS_CLIENT_CA): give --tls-certificate, too'],
    [
      [...tls, '--tls-client-role', 'read'],
      '--tls-client-role (GLOCAL_TLS_CLIENT_ROLE): give --tls-client-ca, too',
    ],
    [['--jwt-keys', 'k', '--jwt-issuer', 'i'], '--jwt-keys (GLOCAL_JWT_KEYS): give --jwt-audience, too'],
    [['--jwt-keys', 'k', '--jwt-audience', 'a'], '--jwt-keys (GLOCAL_JWT_KEYS): give --jwt-issuer, too'],
    [['--jwt-role-claim', 'r'], '--jwt-role-claim (GLOCAL_JWT_ROLE_CLAIM): give --jwt-keys, too'],
  ])('is refused with settings that do not go together: %j', (args, message) => {
    expect(refusal(...args)).toMatchObject({ exitCode: 64, message });
  });

  it('takes keys of JSON Web Tokens from elsewhere by https alone', () => {
    const from = (url: string) => ['--jwt-issuer', 'i', '--jwt-audience', 'a', '--jwt-keys', url];
    expect(refusal(...from('http://issuer.test/keys')).message).toMatch(/^--jwt-keys .*clear text/);
    expect(read(...from('https://issuer.test/keys')).jwtKeys).toBe('https://issuer.test/keys');
    expect(read(...from('http://localhost:8080/keys')).jwtKeys).toBe('http://localhost:8080/keys');
  });
});

it('figures go out to other machines with --insecure only', () => {
  expect(refusal('--metrics-listen', '0.0.0.0:9090').message).toMatch(
    /^--metrics-listen \(GLOCAL_METRICS_LISTEN\): 0\.0\.0\.0 can be reached/,
  );
  expect(read('--metrics-listen', '0.0.0.0:9090', '--insecure').metricsListen).toBe('0.0.0.0:9090');
  expect(read('--metrics-listen', '0.0.0.0:9090', '--insecure-metrics').metricsListen).toBe('0.0.0.0:9090');
  expect(read('--metrics-listen', 'localhost:0').metricsListen).toBe('localhost:0');
});

describe('stopping with standard input', () => {
  it('is asked for with --exit-with-stdin', () => {
    expect(read('--exit-with-stdin').exitWithStdin).toBe(true);
  });

  it.each([
    ['true', true],
    ['false', false],
  ])('follows GLOCAL_EXIT_WITH_STDIN=%s', (text, expected) => {
    vi.stubEnv('GLOCAL_EXIT_WITH_STDIN', text);
    expect(read().exitWithStdin).toBe(expected);
  });
});

describe('a DMD service elsewhere', () => {
  const remote = ['--dmd-address', 'dmd.example:50062'];
  const mutual = ['--dmd-tls-ca', 'ca', '--dmd-tls-certificate', 'cert', '--dmd-tls-key', 'key'];

  it('is refused in clear text', () => {
    expect(refusal(...remote).message).toMatch(
      /^--dmd-address \(GLOCAL_DMD_ADDRESS\): dmd\.example is on another machine.*--dmd-tls-ca/,
    );
  });

  it('is taken in clear text with --insecure', () => {
    expect(read(...remote, '--insecure').dmd).toEqual({ address: 'dmd.example:50062' });
  });

  it('is taken with TLS, a certificate of ours and a token, all by the paths of files', () => {
    const { dmd } = read(...remote, ...mutual, '--dmd-tls-domain', 'dmd', '--dmd-token-file', 'token');
    expect(dmd).toEqual({
      address: 'dmd.example:50062',
      tls: { ca: 'ca', certificate: 'cert', key: 'key', domain: 'dmd' },
      tokenFile: 'token',
    });
  });

  it.each([
    [[...remote, '--dmd-tls-ca', 'ca', '--dmd-tls-key', 'key'], '--dmd-tls-key: give both or neither'],
    [[...remote, '--dmd-tls-domain', 'dmd'], '--dmd-tls-domain: give --dmd-tls-ca, too'],
    [['--dmd-token-file', 'token'], '--dmd-token-file: without --dmd-address'],
    [mutual, '--dmd-tls-ca: without --dmd-address'],
  ])('is refused with options that do not go together: %j', (args, message) => {
    expect(refusal(...args)).toMatchObject({ exitCode: 64, message: expect.stringContaining(message) });
  });
});

describe('a store of objects', () => {
  const S3 = ['--objects', 's3://bucket/team'];

  it('is beside the store by default, or a folder, or a part of a bucket', () => {
    expect(read().objectsLocation).toBeUndefined();
    const database = ['--store', 'postgres://a@127.0.0.1/b'];
    expect(read(...database).objectsLocation).toEqual({ kind: 'database', prefix: '' });
    expect(read(...database, '--objects', '/mnt/all').objectsLocation).toMatchObject({ kind: 'folder' });
    expect(read('--objects', '/mnt/all').objectsLocation).toEqual({
      ...{ kind: 'folder', path: '/mnt/all' },
    });
    const args = [...S3, '--objects-endpoint', 'https://minio:9000', '--objects-region', 'eu-west-1'];
    expect(read(...args).objectsLocation).toEqual({
      ...{ kind: 's3', bucket: 'bucket', prefix: 'team/' },
      ...{ endpoint: 'https://minio:9000', region: 'eu-west-1' },
    });
  });

  it.each([
    [['--objects', 'gs://bucket'], /^--objects \(GLOCAL_OBJECTS\): "gs:\/\/bucket" is neither/],
    [['--objects-region', 'eu'], /^--objects-region .*: is for --objects s3:\/\/BUCKET$/],
    [[...S3, '--objects-endpoint', 'minio:9000'], /^--objects-endpoint .*: is not an http or https URL$/],
    [[...S3, '--objects-endpoint', 'https://a:b@minio'], /^--objects-endpoint .*: has credentials in it/],
    [[...S3, '--objects-endpoint', 'http://minio:9000'], /^--objects-endpoint .*: minio .* in clear text/],
  ])('that cannot be is refused: %s', (args, message) => {
    expect(refusal(...args).message).toMatch(message);
  });

  it('is reached in clear text on this machine, and elsewhere with --insecure', () => {
    for (const args of [['http://127.0.0.1:9000'], ['http://minio:9000', '--insecure']]) {
      expect(read(...S3, '--objects-endpoint', ...args).objectsLocation).toMatchObject({
        endpoint: args[0],
      });
    }
  });
});

describe('variables', () => {
  it('that nobody reads are refused, with what was probably meant', () => {
    vi.stubEnv('GLOCAL_LISTN', 'localhost:0');
    expect(refusal()).toMatchObject({
      exitCode: 64,
      message: 'GLOCAL_LISTN: no setting has this name; did you mean GLOCAL_LISTEN?',
    });
  });

  it('that Kubernetes makes for a Service are left aside, and listed for the log', () => {
    vi.stubEnv('GLOCAL_DMD_PORT', 'tcp://10.0.0.11:50062');
    expect(read().ignoredVariables).toEqual(['GLOCAL_DMD_PORT']);
  });
});

describe('a database as the store', () => {
  const local = 'postgres://ann@localhost:5433/glocal';
  const remote = 'postgresql://ann:secret@db.example/glocal';

  it('is taken, with a file for its password', () => {
    expect(read('--store', local, '--store-password-file', 'password')).toMatchObject({
      store: local,
      storePasswordFile: 'password',
      storeConnections: 10,
      storeStatementSeconds: 60,
    });
  });

  it.each([
    `${remote}?sslmode=verify-full`,
    `${remote}?sslmode=verify-ca&sslrootcert=ca.pem`,
    'postgres://ann@/glocal?host=/run/postgresql',
    'postgres:///glocal?host=%2Frun%2Fpostgresql&user=ann',
    'postgres://[::1]/glocal',
  ])('is taken at %s', (url) => {
    expect(read('--store', url).store).toBe(url);
  });

  it('is taken elsewhere in clear text with --insecure', () => {
    expect(read('--store', remote, '--insecure').store).toBe(remote);
  });

  it.each<[args: string[], message: string]>([
    [['--store', remote], 'db.example is on another machine'],
    [['--store', `${remote}?sslmode=no-verify`], 'db.example is on another machine'],
    [['--store', `${remote}?sslmode=prefer`], 'sslmode=prefer, which may be one of disable'],
    [['--store', `${remote}?colour=red`], 'has "colour", which may be one of'],
    [['--store', 'postgres://ann:secret@localhost:5433'], 'names no database'],
    [['--store', 'postgres://ann:secret@localhost:0/glocal'], 'has no port'],
    [
      ['--store', 'postgres://ann:secret@local host/glocal'],
      'is not of the form postgres://USER@HOST:PORT/DATABASE',
    ],
    [['--store', 'postgres://ann:secret%@localhost/glocal'], 'a % that is no escape'],
    [['--store', 'postgres://ann:secret@localhost/glocal', '--store-password-file', 'f'], 'has a password'],
    [['--store-password-file', 'f'], '--store-password-file: is for a database'],
    [['--store', 'some.db', '--store-dir', 'f'], '--store-dir: is for a database'],
  ])('is refused by %j, without its password', (args, message) => {
    expect(refusal(...args).message).toContain(message);
    expect(refusal(...args).message).toMatch(/^--store/);
    expect(refusal(...args).message).not.toContain('secret');
  });
});
