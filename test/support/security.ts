/** What a trainer needs that asks who its callers are, in files of a folder: certificates, and tokens of a few people. */

import { appendFile, writeFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ServerChild, spawnTrainer } from '@glocal/trainer';
import { type ChannelCredentials, credentials, Metadata } from '@grpc/grpc-js';
import { execa } from 'execa';
import { type Certificate, certificate } from './certificates.ts';
import { withoutSettings } from './environment.ts';
import { Channel } from './grpc.ts';

const MAIN = fileURLToPath(import.meta.resolve('@glocal/trainer/main'));

/** A name that a certificate of the server is for; tests reach it at an address. */
export const SERVER_NAME = 'trainer.test';

export class SecurityFiles {
  readonly folder: string;
  readonly authority: Certificate;

  private constructor(folder: string, authority: Certificate) {
    this.folder = folder;
    this.authority = authority;
  }

  static async make(folder: string): Promise<SecurityFiles> {
    const files = new SecurityFiles(folder, await certificate('authority.test'));
    await files.write('ca.pem', files.authority.cert);
    await files.serve(await certificate(SERVER_NAME, files.authority));
    return files;
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  async write(name: string, text: string): Promise<void> {
    await writeFile(this.path(name), text, { mode: 0o600 });
  }

  /** The server is to serve with this certificate. */
  async serve({ cert, key }: Certificate): Promise<void> {
    await this.write('server.pem', cert);
    await this.write('server.key', key);
  }

  /** Flags for TLS; with `mutual` clients must show a certificate. */
  tls({ mutual = false } = {}): string[] {
    const own = ['--tls-certificate', this.path('server.pem'), '--tls-key', this.path('server.key')];
    return mutual ? [...own, '--tls-client-ca', this.path('ca.pem')] : own;
  }

  /** Flag for tokens. */
  tokens(): string[] {
    return ['--token-file', this.path('tokens')];
  }

  /** A new token, made by the trainer's own command and added to the file. */
  async token(owner: string, ...args: string[]): Promise<string> {
    const command = ['token', '--owner', owner, '--file', this.path('tokens'), ...args];
    return (await execa(process.execPath, [MAIN, ...command])).stdout;
  }

  /** A line more in the file of tokens. */
  async addLine(line: string): Promise<void> {
    await appendFile(this.path('tokens'), `${line}\n`);
  }

  /** How a client connects that knows the authority, and shows a certificate when it has one. */
  channel(client?: Certificate): ChannelCredentials {
    const key = client && Buffer.from(client.key);
    return credentials.createSsl(Buffer.from(this.authority.cert), key, client && Buffer.from(client.cert));
  }
}

/** What a client sends along to be known. */
export function bearer(token: string | undefined): Metadata {
  const metadata = new Metadata();
  if (token !== undefined) metadata.set('authorization', `Bearer ${token}`);
  return metadata;
}

/** An address of this machine that other machines could reach it by, where it has one. */
function outerHost(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((found) => found ?? []);
  return addresses.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1';
}

/** A trainer that asks who its callers are, and listens where other machines could reach it. */
export class SecureTrainer implements AsyncDisposable {
  readonly server: ServerChild;
  readonly files: SecurityFiles;
  /** All that it has said so far. */
  readonly log: readonly string[];

  private constructor(server: ServerChild, files: SecurityFiles, log: readonly string[]) {
    this.server = server;
    this.files = files;
    this.log = log;
  }

  static async start(files: SecurityFiles, args: readonly string[]): Promise<SecureTrainer> {
    const log: string[] = [];
    const server = await spawnTrainer({
      args: ['--listen', '0.0.0.0:0', '--store', 'memory:', '--log-level', 'debug', ...args],
      env: withoutSettings(),
      log: (line) => log.push(line),
    });
    return new SecureTrainer(server, files, log);
  }

  get address(): string {
    return `${outerHost()}:${this.server.address.split(':').at(-1)}`;
  }

  /** A connection of its own, whose calls show this token. */
  connect(token: string | undefined, channel: ChannelCredentials = this.files.channel()): Channel {
    return new Channel(this.address, channel, bearer(token), {
      'grpc.ssl_target_name_override': SERVER_NAME,
      'grpc.use_local_subchannel_pool': 1,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.stop();
  }
}
