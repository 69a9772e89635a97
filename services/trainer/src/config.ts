/** Configuration of the trainer: defaults, then environment, then flags. */

import { isIP } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import envPaths from 'env-paths';

const REPOSITORY = fileURLToPath(new URL('../../..', import.meta.url));

export interface Config {
  /** host:port. */
  readonly listen: string;
  /** Path of the SQLite file. */
  readonly store: string;
  /** Address of a DMD service that runs; undefined to start one. */
  readonly dmdAddress: string | undefined;
  /** Path of the DMD service's binary. */
  readonly dmdBinary: string;
  /** How long a trial waits for the DMD service before it falls back, in milliseconds. */
  readonly dmdRetryBudgetMs: number;
  readonly backend: 'tensorflow' | 'wasm' | 'cpu' | undefined;
  readonly maxRunningTrials: number;
  readonly maxActiveStudies: number;
  readonly maxSteps: number;
  readonly maxWatchers: number;
  readonly logLevel: string;
  /** Stop when standard input closes. */
  readonly exitWithStdin: boolean;
}

/** The configuration is wrong; the message names the key. Exit code 64 (EX_USAGE). */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly exitCode: number;

  constructor(message: string, exitCode = 64) {
    super(message);
    this.exitCode = exitCode;
  }
}

/**
 * Reads flags and environment. `--help` and `--version` print and throw a ConfigError with exit code 0.
 * @param args without the program's name.
 * @throws ConfigError
 */
export function readConfig(args: readonly string[], version: string): Config {
  const command = new Command('glocal-trainer')
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
      option('--store <file>', 'SQLite file with studies and results', 'STORE').default(
        join(envPaths('glocal', { suffix: '' }).data, 'studies.db'),
      ),
    )
    .addOption(
      option('--dmd-address <host:port>', 'DMD service to use; without it one is started', 'DMD_ADDRESS'),
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
      option('--max-steps <n>', 'inner steps of a trial', 'MAX_STEPS').default(10_000_000).argParser(whole),
    )
    .addOption(
      option('--max-watchers <n>', 'watchers that may be connected', 'MAX_WATCHERS')
        .default(1_000)
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
        'allow an address off this machine without TLS and authentication',
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
  const { dmdRetrySeconds, insecure, ...rest } = command.opts();
  const config: Config = {
    ...rest,
    dmdRetryBudgetMs: dmdRetrySeconds * 1_000,
    exitWithStdin: rest.exitWithStdin === true,
  } as Config;
  checkListen(config.listen, insecure === true);
  if (config.dmdAddress !== undefined) checkDmdAddress(config.dmdAddress);
  return config;
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
  const { host } = parseAddress(listen, key);
  if (!isLoopback(host) && !insecure) {
    throw new ConfigError(
      `${key}: ${host} can be reached from other machines, and this version has no TLS and no ` +
        'authentication; listen on localhost, or say --insecure if the network is yours',
    );
  }
}

function checkDmdAddress(address: string): void {
  const key = '--dmd-address (GLOCAL_DMD_ADDRESS)';
  if (parseAddress(address, key).port === 0) {
    throw new ConfigError(`${key}: nothing can be reached at port 0 of "${address}"`);
  }
}

function parseAddress(address: string, key: string): { host: string; port: number } {
  const [, host, port] = address.match(/^(.+):(\d{1,5})$/) ?? [];
  if (host === undefined || Number(port) > 65_535) {
    throw new ConfigError(`${key}: "${address}" is not host:port`);
  }
  return { host, port: Number(port) };
}

function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  return bare === 'localhost' || bare === '::1' || (isIP(bare) === 4 && bare.startsWith('127.'));
}
