/** Configuration of the trainer: defaults, then environment, then flags. */

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, CommanderError, InvalidArgumentError, Option, type OptionValues } from 'commander';
import envPaths from 'env-paths';
import { ConfigError } from './config/errors.ts';
import { checkVariables } from './config/variables.ts';
import type { DmdConnection } from './dmd/connection.ts';
import { type Address, isLoopback, parseAddress } from './resource/address.ts';

export { ConfigError };

const REPOSITORY = fileURLToPath(new URL('../../..', import.meta.url));

export interface Config {
  /** host:port. */
  readonly listen: string;
  /** URL of the store, or the path of an SQLite file. */
  readonly store: string;
  /** A DMD service that runs; undefined to start one. */
  readonly dmd: DmdConnection | undefined;
  /** Path of the DMD service's binary. */
  readonly dmdBinary: string;
  /** How long a trial waits for the DMD service before it falls back, in milliseconds. */
  readonly dmdRetryBudgetMs: number;
  /** Folder with a folder for each model of the user's; undefined for none. */
  readonly modelDir: string | undefined;
  readonly backend: 'tensorflow' | 'wasm' | 'cpu' | undefined;
  readonly maxRunningTrials: number;
  readonly maxActiveStudies: number;
  /** Of one owner. */
  readonly maxOwnerActiveStudies: number;
  readonly maxSteps: number;
  readonly maxWatchers: number;
  /** Bytes of events that are kept for watchers, all of them together. */
  readonly maxWatchBytes: number;
  readonly logLevel: string;
  /** Stop when standard input closes. */
  readonly exitWithStdin: boolean;
  /** Variables that begin with `GLOCAL_` and are not for us; a log should mention them. */
  readonly ignoredVariables: readonly string[];
}

/**
 * Reads flags and environment. `--help` and `--version` print and throw a ConfigError with exit code 0.
 * @param args without the program's name.
 * @throws ConfigError
 */
export function readConfig(args: readonly string[], version: string): Config {
  const command = makeCommand(version);
  try {
    command.parse([...args], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) {
      throw new ConfigError(
        error.exitCode === 0 ? '' : error.message.replace(/^error: /, ''),
        error.exitCode === 0 ? 0 : 64,
      );
    }
    throw error;
  }
  const variables = command.options.flatMap(({ envVar }) => envVar ?? []);
  const ignoredVariables = checkVariables(variables, process.env);
  const options = command.opts();
  const { listen, store, dmdBinary, modelDir, backend, logLevel } = options;
  const { maxRunningTrials, maxActiveStudies, maxSteps, maxWatchers, maxWatchBytes } = options;
  const { maxOwnerActiveStudies = maxActiveStudies } = options;
  const insecure = options.insecure === true;
  checkListen(listen, insecure);
  return {
    ...{ listen, store, dmdBinary, modelDir, backend, logLevel },
    ...{ maxRunningTrials, maxActiveStudies, maxOwnerActiveStudies, maxSteps, maxWatchers, maxWatchBytes },
    dmd: dmdConnection(options, insecure),
    dmdRetryBudgetMs: options.dmdRetrySeconds * 1_000,
    exitWithStdin: options.exitWithStdin === true,
    ignoredVariables,
  };
}

/** The variables that it reads, each beside its flag. */
export const configVariables = (): { readonly variable: string; readonly flag: string }[] =>
  makeCommand('').options.flatMap(({ envVar, long }) =>
    envVar === undefined || long === undefined || long === null ? [] : { variable: envVar, flag: long },
  );

function makeCommand(version: string): Command {
  return new Command('glocal-trainer')
    .description(
      'Trains models and moves their hyperparameters while they train: glocal.v1.StudyService over gRPC.',
    )
    .version(version)
    .addOption(
      option('--listen <host:port>', 'address to listen on; port 0 for any free one', 'LISTEN').default(
        '127.0.0.1:50061',
      ),
    )
    .addOption(
      option(
        '--store <url>',
        'where studies and results are kept: the path of an SQLite file (or sqlite:PATH), or memory:',
        'STORE',
      ).default(join(envPaths('glocal', { suffix: '' }).data, 'studies.db')),
    )
    .addOption(
      option('--dmd-address <host:port>', 'DMD service to use; without it one is started', 'DMD_ADDRESS'),
    )
    .addOption(
      option(
        '--dmd-tls-ca <file>',
        'PEM file with the roots that its certificate must lead to; with it the connection uses TLS',
        'DMD_TLS_CA',
      ),
    )
    .addOption(
      option(
        '--dmd-tls-certificate <file>',
        'PEM file with our own certificate, for mutual TLS',
        'DMD_TLS_CERTIFICATE',
      ),
    )
    .addOption(
      option('--dmd-tls-key <file>', 'PEM file with the private key of that certificate', 'DMD_TLS_KEY'),
    )
    .addOption(
      option(
        '--dmd-tls-domain <name>',
        'name that its certificate is for, if not the host of the address',
        'DMD_TLS_DOMAIN',
      ),
    )
    .addOption(
      option('--dmd-token-file <file>', 'file with the bearer token that it asks for', 'DMD_TOKEN_FILE'),
    )
    .addOption(
      option('--dmd-binary <file>', 'DMD service to start', 'DMD_BINARY').default(
        join(REPOSITORY, 'target/release/glocal-dmd'),
      ),
    )
    .addOption(
      option(
        '--dmd-retry-seconds <seconds>',
        'how long a trial waits for the DMD service before it uses the local hypergradient',
        'DMD_RETRY_SECONDS',
      )
        .default(60)
        .argParser(positive),
    )
    .addOption(
      option(
        '--model-dir <folder>',
        'folder of models to offer besides those built in: <id>/model.json each, a tfjs LayersModel',
        'MODEL_DIR',
      ),
    )
    .addOption(
      option('--backend <name>', 'tfjs backend; by default the fastest that is installed', 'BACKEND').choices(
        ['tensorflow', 'wasm', 'cpu'],
      ),
    )
    .addOption(
      option('--max-running-trials <n>', 'trials that train at a time', 'MAX_RUNNING_TRIALS')
        .default(1)
        .argParser(whole),
    )
    .addOption(
      option('--max-active-studies <n>', 'studies that may be active', 'MAX_ACTIVE_STUDIES')
        .default(100)
        .argParser(whole),
    )
    .addOption(
      option(
        '--max-owner-active-studies <n>',
        'studies of one owner that may be active; by default as many as of all together',
        'MAX_OWNER_ACTIVE_STUDIES',
      ).argParser(whole),
    )
    .addOption(
      option('--max-steps <n>', 'inner steps of a trial', 'MAX_STEPS').default(10_000_000).argParser(whole),
    )
    .addOption(
      option('--max-watchers <n>', 'watchers that may be connected', 'MAX_WATCHERS')
        .default(1_000)
        .argParser(whole),
    )
    .addOption(
      option(
        '--max-watch-bytes <n>',
        'bytes of events that are kept for watchers, all of them together',
        'MAX_WATCH_BYTES',
      )
        .default(256 * 1024 * 1024)
        .argParser(whole),
    )
    .addOption(
      option('--log-level <level>', 'how much to log', 'LOG_LEVEL')
        .choices(['debug', 'info', 'warn', 'error', 'silent'])
        .default('info'),
    )
    .addOption(
      option(
        '--insecure [yes|no]',
        'allow to listen off this machine without TLS and authentication, and a DMD service elsewhere without TLS',
        'INSECURE',
      )
        .preset('yes')
        .argParser(yesOrNo),
    )
    .addOption(
      option(
        '--exit-with-stdin [yes|no]',
        'stop when standard input closes, so as not to outlive a parent',
        'EXIT_WITH_STDIN',
      )
        .preset('yes')
        .argParser(yesOrNo),
    )
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
}

function option(flags: string, description: string, name: string): Option {
  return new Option(flags, description).env(`GLOCAL_${name}`);
}

function whole(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1 || value > 2 ** 31 - 1) {
    throw new InvalidArgumentError('It must be a whole number from 1 to 2147483647.');
  }
  return value;
}

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('It must be a number above 0.');
  return value;
}

/** A variable that is there does not yet say yes. */
function yesOrNo(text: string): boolean {
  if (/^(yes|true|1)$/i.test(text)) return true;
  if (/^(no|false|0|)$/i.test(text)) return false;
  throw new InvalidArgumentError('It must be yes or no.');
}

function checkListen(listen: string, insecure: boolean): void {
  const key = '--listen (GLOCAL_LISTEN)';
  const { host } = addressOf(listen, key);
  if (!isLoopback(host) && !insecure) {
    throw new ConfigError(
      `${key}: ${host} can be reached from other machines, and this version has no TLS and no ` +
        'authentication; listen on localhost, or say --insecure if the network is yours',
    );
  }
}

/** The DMD service that the options name; undefined when one is to be started. */
function dmdConnection(options: OptionValues, insecure: boolean): DmdConnection | undefined {
  const { dmdAddress: address, dmdTokenFile: tokenFile } = options;
  const { dmdTlsCa: ca, dmdTlsCertificate: certificate, dmdTlsKey: key, dmdTlsDomain: domain } = options;
  const flags = { ca, certificate, key, domain };
  const credentials = {
    ...Object.fromEntries(Object.entries(flags).map(([name, value]) => [`--dmd-tls-${name}`, value])),
    '--dmd-token-file': tokenFile,
  };
  const [given] = Object.entries(credentials).find(([, value]) => value !== undefined) ?? [];
  if (address === undefined) {
    if (given === undefined) return undefined;
    throw new ConfigError(`${given}: without --dmd-address the trainer starts a DMD service of its own`);
  }
  const where = '--dmd-address (GLOCAL_DMD_ADDRESS)';
  const { host, port } = addressOf(address, where);
  if (port === 0) throw new ConfigError(`${where}: nothing can be reached at port 0 of "${address}"`);
  if ((certificate === undefined) !== (key === undefined)) {
    throw new ConfigError('--dmd-tls-certificate and --dmd-tls-key: give both or neither');
  }
  if (ca === undefined && (certificate ?? domain) !== undefined) {
    throw new ConfigError(`${given}: give --dmd-tls-ca, too; without it the connection does not use TLS`);
  }
  if (ca === undefined && !isLoopback(host) && !insecure) {
    throw new ConfigError(
      `${where}: ${host} is on another machine, and hypergradients would travel in clear text; ` +
        'give --dmd-tls-ca, or say --insecure if the network is yours',
    );
  }
  return { address, tls: ca === undefined ? undefined : { ca, certificate, key, domain }, tokenFile };
}

function addressOf(address: string, key: string): Address {
  const parsed = parseAddress(address);
  if (parsed === undefined) throw new ConfigError(`${key}: "${address}" is not host:port`);
  return parsed;
}
