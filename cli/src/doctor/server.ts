/** What a server can be asked. */

import { connect as connectTcp } from 'node:net';
import {
  type ClientOptions,
  type GlocalClient,
  GlocalError,
  IncompatibleServerError,
  type ServerInfo,
} from '@glocal/sdk';
import {
  type ConnectionFlags,
  clientOptions,
  connect,
  connectionArguments,
  DEFAULT_ADDRESS,
  encrypts,
} from '../connection.ts';
import { CommandError } from '../exit.ts';
import { withFlagNames } from '../flag-names.ts';
import { commandOf, GLOCAL } from '../invocation.ts';
import { findTrainer } from '../trainer.ts';
import { VERSION } from '../version.ts';
import { dataFindings } from './data.ts';
import { type Finding, fault, good, unknown, warning } from './finding.ts';
import { askHealth, type Health } from './health.ts';

const ANSWER_WITHIN_S = 5;
/** Beyond this tokens that expire, and certificates, are taken wrongly. */
const MOST_SECONDS_OFF = 30;
/** Checks that need a server that answers. */
const OF_A_SERVER = ['version', 'DMD service', 'runtime', 'data sets', 'store', 'clock'];

/** All that a server says of itself. */
export async function serverFindings(flags: ConnectionFlags): Promise<{
  readonly findings: readonly Finding[];
  /** To ask more; undefined when the server does not answer as it should. */
  readonly client?: GlocalClient;
}> {
  let client: GlocalClient;
  let info: ServerInfo;
  try {
    client = await connect(flags);
    info = await client.serverInfo();
  } catch (error) {
    const found = await unreachable(error, flags);
    const others = OF_A_SERVER.filter((check) => check !== found.check);
    return { findings: [found, ...others.map((check) => unknown(check, `${found.check} comes first`))] };
  }
  const server = firstServer(flags);
  const serve = commandOf(...serveAt(server.address));
  const [problems, health] = await Promise.all([
    client.problems(),
    askHealth(server, ANSWER_WITHIN_S * 1_000),
  ]);
  return {
    client,
    findings: [
      good('server', `${client.address} answers${callerWords(info)}`),
      versionFinding(info.version),
      dmdFinding(info),
      runtimeFinding(info.backend),
      ...dataFindings(problems, serve),
      storeFinding(info, health, serve),
      clockFinding(health.serverTime, new Date()),
    ],
  };
}

/** Where there are several, one speaks for all. */
function firstServer(flags: ConnectionFlags): Pick<ClientOptions, 'tls'> & { readonly address: string } {
  const { address, tls } = clientOptions(flags);
  return { address: address[0] ?? '', tls };
}

const callerWords = ({ caller }: ServerInfo): string =>
  caller === undefined ? '' : `, and knows you as ${caller.owner} (${caller.role})`;

/** Why a server cannot be talked to, and what to do about it. */
async function unreachable(error: unknown, flags: ConnectionFlags): Promise<Finding> {
  const check = 'server';
  const again = (more: ConnectionFlags): string =>
    commandOf('doctor', ...connectionArguments({ ...flags, ...more }));
  const another = again({ address: 'HOST:PORT' });
  // A file that a flag names.
  if (error instanceof CommandError) {
    const isToken = error.message.startsWith('--token-file: ');
    return fault(
      check,
      error.message,
      isToken ? newToken(again({ tokenFile: 'my-token' })) : 'give the flag a file that is there',
    );
  }
  if (!(error instanceof GlocalError)) throw error;
  if (error instanceof IncompatibleServerError) return versionFault(error);
  const { code, message, reason } = withFlagNames(error);
  const authorities = again({ tlsCa: 'CA.pem' });
  if (reason === 'ADDRESS' || reason === 'TLS')
    return fault(check, message, reason === 'TLS' ? authorities : another);
  const { address } = firstServer(flags);
  switch (code) {
    case 'UNAUTHENTICATED':
      return fault(
        check,
        `${address} does not know who you are: ${message}`,
        newToken(again({ tokenFile: 'my-token' })),
      );
    case 'PERMISSION_DENIED':
      return fault(
        check,
        `${address}: ${message}`,
        `${GLOCAL} token --owner NAME --role write --file TOKENS-OF-THE-SERVER`,
      );
    case 'UNIMPLEMENTED':
      return fault(check, `what listens at ${address} is not a Glocal trainer`, another);
    case 'FAILED_PRECONDITION':
      if (reason === 'INSECURE') return fault(check, message, authorities);
      return fault(check, message, `npm install @glocal/cli`);
    default:
  }
  if (code !== 'UNAVAILABLE' && code !== 'DEADLINE_EXCEEDED')
    return fault(check, message, `${GLOCAL} doctor --help`);
  if (!(await listens(address))) return fault(check, message, start(address));
  return fault(
    check,
    `something listens at ${address}, but it does not answer as a Glocal trainer: ${message}`,
    reach(message, { flags, another, authorities, again }),
  );
}

/** How to start a trainer where there is none. */
function start(address: string): string {
  if (!isHere(address))
    return `start the trainer that is to be at ${address}, or give the address of another: ${commandOf('doctor', '--address', 'HOST:PORT')}`;
  const words = serveAt(address);
  return findTrainer() === undefined
    ? `npm install @glocal/trainer && npx glocal ${words.join(' ')}`
    : commandOf(...words);
}

const isHere = (address: string): boolean => /^(localhost|127(\.\d+){3}|\[::1\]):\d+$/.test(address);

/** A trainer at the same address, of this machine; how others make theirs reachable they know. */
const serveAt = (address: string): string[] =>
  address === DEFAULT_ADDRESS || !isHere(address) ? ['serve'] : ['serve', '--listen', address];

/** How to talk to what listens and does not answer: with other encryption, or elsewhere. */
function reach(
  message: string,
  {
    flags,
    another,
    authorities,
    again,
  }: {
    readonly flags: ConnectionFlags;
    readonly another: string;
    readonly authorities: string;
    readonly again: (more: ConnectionFlags) => string;
  },
): string {
  // Fields that are there and undefined take the place of those given.
  if (encrypts(flags) && /wrong version number|not speak TLS/.test(message)) return again(PLAIN);
  return flags.tlsCa === undefined ? `${another}, or for a server with TLS: ${authorities}` : another;
}

const PLAIN: ConnectionFlags = {
  tls: false,
  tlsCa: undefined,
  tlsCert: undefined,
  tlsKey: undefined,
  tlsServerName: undefined,
};

const newToken = (then: string): string =>
  `${GLOCAL} token --owner NAME --file TOKENS-OF-THE-SERVER > my-token; ${then}`;

/** Whether anything takes connections there. */
function listens(address: string): Promise<boolean> {
  const [, host = '', port = ''] = address.match(/^\[?(.*?)\]?:(\d+)$/) ?? [];
  if (port === '') return Promise.resolve(false);
  return new Promise((resolve) => {
    const socket = connectTcp({ host, port: Number(port), timeout: 2_000 });
    const end = (found: boolean) => {
      socket.destroy();
      resolve(found);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
    socket.once('timeout', () => end(false));
  });
}

const versionFault = ({ message, serverVersion }: IncompatibleServerError): Finding =>
  fault('version', message, `npm install @glocal/cli@${serverVersion.split('.')[0]}`);

const versionFinding = (server: string): Finding =>
  good('version', server === VERSION ? server : `${server}, and ${VERSION} here`);

function dmdFinding({ dmd, dmdAddress }: ServerInfo): Finding {
  const check = 'DMD service';
  if (dmd === undefined) return unknown(check, 'the server is too old to say');
  if (dmd.reachable) return good(check, `version ${dmd.version} at ${dmdAddress}`);
  return fault(
    check,
    `the trainer cannot reach it at ${dmdAddress}: ${dmd.reason}`,
    `glocal-dmd serve --listen ${dmdAddress}`,
  );
}

export function runtimeFinding(backend: string): Finding {
  const check = 'runtime';
  if (/native/i.test(backend)) return good(check, backend);
  return warning(
    check,
    `${backend}, which is several times slower than the native TensorFlow runtime`,
    'npx glocal-trainer setup',
  );
}

/** @param serve the command that starts a trainer there. */
function storeFinding({ dmd }: ServerInfo, { status, reason }: Health, serve: string): Finding {
  const check = 'store';
  if (status === 'SERVING') return good(check, 'the server can store results');
  if (status === undefined) return unknown(check, `the server does not tell of its health: ${reason}`);
  if (dmd?.reachable === false)
    return unknown(check, 'the server does not take work without its DMD service');
  return fault(
    check,
    'the server cannot store results: its disk may be full, its database away, or it is about to end; its log says which',
    `df -h; ${serve}`,
  );
}

/** @param here when the answer came. */
export function clockFinding(server: Date | undefined, here: Date): Finding {
  const check = 'clock';
  if (server === undefined) return unknown(check, 'the server does not tell its time');
  const seconds = Math.round((here.getTime() - server.getTime()) / 1_000);
  if (Math.abs(seconds) <= MOST_SECONDS_OFF) return good(check, 'the same time here and on the server');
  const detail = `this clock is ${Math.abs(seconds)} s ${seconds > 0 ? 'ahead of' : 'behind'} the server's`;
  return fault(check, detail, 'sudo timedatectl set-ntp true');
}
