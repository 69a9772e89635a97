/** How commands reach the server: the flags and variables that all of them share. */

import { readFileSync } from 'node:fs';
import { type ClientOptions, GlocalClient, type TlsOptions } from '@glocal/sdk';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { CommandError, NOT_THERE, REFUSED, USAGE } from './exit.ts';
import { GLOCAL } from './invocation.ts';

/** As commander has them. */
export interface ConnectionFlags {
  readonly address?: string;
  readonly tls?: boolean;
  readonly tlsCa?: string | undefined;
  readonly tlsCert?: string | undefined;
  readonly tlsKey?: string | undefined;
  readonly tlsServerName?: string | undefined;
  readonly tokenFile?: string;
  readonly insecure?: boolean;
  readonly timeout?: number;
}

export const DEFAULT_ADDRESS = 'localhost:50061';
const GROUP = 'Connection:';

/** Adds the flags. Variables begin with `GLOCAL_CLIENT_`, because those without `CLIENT` are the trainer's own settings. */
export function withConnection(command: Command): Command {
  return command
    .optionsGroup(GROUP)
    .addOption(
      new Option('--address <host:port>', 'the server; several with commas')
        .env('GLOCAL_ADDRESS')
        .default(DEFAULT_ADDRESS),
    )
    .addOption(
      new Option('--tls', "encrypts, with Node's own certificate authorities").env('GLOCAL_CLIENT_TLS'),
    )
    .addOption(
      new Option(
        '--tls-ca <file>',
        "PEM file of the authorities of the server's certificate; encrypts. Read anew for each connection, as the two below",
      ).env('GLOCAL_CLIENT_TLS_CA'),
    )
    .addOption(
      new Option('--tls-cert <file>', 'PEM file with your own certificate, for mutual TLS').env(
        'GLOCAL_CLIENT_TLS_CERT',
      ),
    )
    .addOption(new Option('--tls-key <file>', 'PEM file with its private key').env('GLOCAL_CLIENT_TLS_KEY'))
    .addOption(
      new Option(
        '--tls-server-name <name>',
        "name that the server's certificate is for, if not the host",
      ).env('GLOCAL_CLIENT_TLS_SERVER_NAME'),
    )
    .addOption(
      new Option(
        '--token-file <file>',
        'file with the token that says who you are; read anew for each call',
      ).env('GLOCAL_CLIENT_TOKEN_FILE'),
    )
    .addOption(
      new Option('--insecure', 'sends in the clear to another machine').env('GLOCAL_CLIENT_INSECURE'),
    )
    .addOption(
      new Option('--timeout <seconds>', 'how long to wait for an answer')
        .env('GLOCAL_CLIENT_TIMEOUT')
        .default(30)
        .argParser(toSeconds),
    )
    .optionsGroup('Options:');
}

const OURS = /^GLOCAL_(ADDRESS$|CLIENT_|DASHBOARD_)/;
const SWITCHES = ['GLOCAL_CLIENT_TLS', 'GLOCAL_CLIENT_INSECURE', 'GLOCAL_DASHBOARD_LOGIN'];

/**
 * Leaves aside variables that say nothing, and switches that say no: commander takes a switch whose variable is there for one that
 * is set, and an empty name for that of a file.
 */
export function withoutEmptyVariables(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const says = ([name, value]: [string, string | undefined]): boolean =>
    !OURS.test(name) || (value !== '' && !(SWITCHES.includes(name) && /^(no|false|0)$/i.test(value ?? '')));
  return Object.fromEntries(Object.entries(environment).filter(says));
}

/**
 * Options of a client. Its files may be replaced while it runs: it reads those of TLS for each new connection, the token for each call.
 * @throws CommandError for a file that cannot be read.
 */
export function clientOptions(
  flags: ConnectionFlags,
): ClientOptions & { readonly address: readonly string[] } {
  const { address = DEFAULT_ADDRESS, tlsCert, tlsKey, tokenFile, timeout } = flags;
  if ((tlsCert === undefined) !== (tlsKey === undefined))
    throw new CommandError('--tls-cert and --tls-key belong together', USAGE);
  const tls = hasTlsOptions(flags) ? () => readTls(flags) : undefined;
  const token = tokenFile === undefined ? undefined : () => readToken(tokenFile);
  // What is not there at the start is said at once.
  tls?.();
  token?.();
  return {
    ...{ address: address.split(','), tls: tls ?? (flags.tls || undefined), token, insecure: flags.insecure },
    ...(timeout !== undefined && { timeout: timeout * 1_000 }),
  };
}

/** So many seconds at most for a server to be there, which may just be starting. */
const MOST_TO_CONNECT = 5;

/** A client whose server has answered, and is of a version that goes with this one. @throws CommandError, GlocalError */
export function connect(flags: ConnectionFlags): Promise<GlocalClient> {
  const options = clientOptions(flags);
  const connectTimeout = Math.min(options.timeout ?? Number.POSITIVE_INFINITY, MOST_TO_CONNECT * 1_000);
  return GlocalClient.connect({ ...options, connectTimeout });
}

/** Whether flags say that the connection is encrypted. */
export const encrypts = (flags: ConnectionFlags): boolean => flags.tls === true || hasTlsOptions(flags);

const hasTlsOptions = ({ tlsCa, tlsCert, tlsServerName }: ConnectionFlags): boolean =>
  [tlsCa, tlsCert, tlsServerName].some((value) => value !== undefined);

/** As messages that name another command repeat it: what is not the default. */
export function connectionArguments(flags: ConnectionFlags): string[] {
  const given: [string, string | boolean | undefined][] = [
    ['--address', flags.address === DEFAULT_ADDRESS ? undefined : flags.address],
    ['--tls', flags.tls],
    ['--tls-ca', flags.tlsCa],
    ['--tls-cert', flags.tlsCert],
    ['--tls-key', flags.tlsKey],
    ['--tls-server-name', flags.tlsServerName],
    ['--token-file', flags.tokenFile],
    ['--insecure', flags.insecure],
  ];
  return given.flatMap(([flag, value]) => {
    if (value === undefined || value === false) return [];
    return value === true ? [flag] : [flag, value];
  });
}

/** The text of a file that a flag names. @throws CommandError */
export function read(flag: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new CommandError(`${flag}: ${(error as Error).message}`, NOT_THERE);
  }
}

/** @throws CommandError */
const readTls = ({ tlsCa, tlsCert, tlsKey, tlsServerName }: ConnectionFlags): TlsOptions => ({
  ca: tlsCa === undefined ? undefined : read('--tls-ca', tlsCa),
  cert: tlsCert === undefined ? undefined : read('--tls-cert', tlsCert),
  key: tlsKey === undefined ? undefined : read('--tls-key', tlsKey),
  serverName: tlsServerName,
});

/** The token alone. The server's file of tokens, which has hashes, is an easy thing to give in its place. */
function readToken(path: string): string {
  const token = read('--token-file', path).trim();
  if (/^\S+$/.test(token)) return token;
  throw new CommandError(
    `--token-file: ${path} must have a token and nothing else; \`${GLOCAL} token\` prints one. The server's own file has hashes`,
    REFUSED,
  );
}

function toSeconds(text: string): number {
  const seconds = Number(text);
  if (seconds > 0 && seconds <= 86_400) return seconds;
  throw new InvalidArgumentError('It must be a number of seconds above 0.');
}
