/** Configuration of the trainer in layers: defaults, then the file, then variables, then flags. */

import { Command, InvalidArgumentError, Option } from 'commander';
import { isDatabase } from './config/database.ts';
import { ConfigError } from './config/errors.ts';
import { readConfigFile } from './config/file.ts';
import { parseArguments } from './config/parse.ts';
import { checkRole } from './config/role.ts';
import { authenticates, checkSecurity } from './config/security.ts';
import {
  flagOf,
  SETTINGS,
  type Setting,
  type SettingName,
  type Settings,
  settings,
  variableOf,
  waysTo,
} from './config/settings.ts';
import { checkStore } from './config/store.ts';
import { checkVariables } from './config/variables.ts';
import type { DmdConnection } from './dmd/connection.ts';
import { LocationError, type ObjectsLocation, parseLocation } from './objects/location.ts';
import { type Address, isLoopback, parseAddress } from './resource/address.ts';

export { ConfigError };

/** Where a value comes from. */
export type Source = 'default' | 'file' | 'variable' | 'flag';

export interface Config extends Settings {
  readonly maxOwnerActiveStudies: number;
  /** A DMD service that runs; undefined to start one. */
  readonly dmd: DmdConnection | undefined;
  /** Where checkpoints and uploaded files are kept: in the store's database, where there is one; undefined for beside its file. */
  readonly objectsLocation: ObjectsLocation | undefined;
  /** Where each setting comes from. */
  readonly sources: Readonly<Record<SettingName, Source>>;
  /** Variables that begin with `GLOCAL_` and are not for us; a log should mention them. */
  readonly ignoredVariables: readonly string[];
}

/** Names the file, and is the one setting that cannot be in it. */
const FILE = { name: 'config', placeholder: 'file', about: 'configuration file: TOML, or JSON by its name' };

const COMMANDS = `
Commands:
  check    whether a server would come up with these settings, or whether one that runs is healthy
  data     downloads data sets, so that no trial has to, or says which are here
  setup    sets the native runtime up, again where that has failed
  token    makes a token for --token-file
Each has its own --help.
`;

/**
 * Reads flags, variables and file. `--help` and `--version` print and throw a ConfigError with exit code 0.
 * @param args without the program's name.
 * @throws ConfigError
 */
export function readConfig(args: readonly string[], version: string): Config {
  const command = makeCommand(version);
  parseArguments(command, args);
  const ignoredVariables = checkVariables(
    configVariables().map(({ variable }) => variable),
    process.env,
  );
  const file: string | undefined = command.getOptionValue(FILE.name);
  const fromFile = file === undefined ? {} : readConfigFile(file);
  const sources = Object.fromEntries(
    settings().map(([name]) => [name, sourceOf(command, name, fromFile)]),
  ) as Record<SettingName, Source>;
  const chosen = settings().map(([name]) => [
    name,
    sources[name] === 'file' ? fromFile[name] : command.getOptionValue(name),
  ]);
  const values = Object.fromEntries(chosen) as Settings;
  checkSecurity(values);
  checkStore(values);
  checkRole(values);
  if (values.role !== 'worker') checkListen(values);
  checkMetricsListen(values);
  if (values.healthListen !== undefined) addressOf(values.healthListen, 'healthListen');
  const { maxOwnerActiveStudies = values.maxActiveStudies } = values;
  return {
    ...{ ...values, maxOwnerActiveStudies, sources, ignoredVariables },
    ...{ dmd: dmdConnection(values), objectsLocation: objectsLocation(values) },
  };
}

/** The variables that it reads, each beside its flag. */
export const configVariables = (): { readonly variable: string; readonly flag: string }[] =>
  [FILE.name, ...Object.keys(SETTINGS)].map((name) => ({ variable: variableOf(name), flag: flagOf(name) }));

function makeCommand(version: string): Command {
  const command = new Command('glocal-trainer')
    .description(
      'Trains models and moves their hyperparameters while they train: glocal.v1.StudyService over gRPC.',
    )
    .version(version)
    .addOption(
      new Option(`${flagOf(FILE.name)} <${FILE.placeholder}>`, FILE.about).env(variableOf(FILE.name)),
    );
  for (const [name, setting] of settings()) command.addOption(optionOf(name, setting));
  return command.addHelpText('after', COMMANDS);
}

function optionOf(name: SettingName, { kind, about, default: usual }: Setting<unknown>): Option {
  const { placeholder, choices, preset, schema, fromText } = kind;
  const value = preset === undefined ? `<${placeholder}>` : `[${placeholder}]`;
  const option = new Option(`${flagOf(name)} ${value}`, about).env(variableOf(name));
  if (choices !== undefined) option.choices(choices);
  if (preset !== undefined) option.preset(preset);
  if (usual !== undefined) option.default(usual, usual === false ? 'no' : undefined);
  return option.argParser((text: string) => {
    const checked = schema.safeParse(fromText(text));
    if (!checked.success) throw new InvalidArgumentError(`It ${checked.error.issues[0]?.message}.`);
    return checked.data;
  });
}

function sourceOf(command: Command, name: SettingName, fromFile: Partial<Settings>): Source {
  const source = command.getOptionValueSource(name);
  if (source === 'cli') return 'flag';
  if (source === 'env') return 'variable';
  return name in fromFile ? 'file' : 'default';
}

function checkListen(values: Settings): void {
  const { host } = addressOf(values.listen, 'listen');
  if (isLoopback(host) || values.insecure) return;
  const missing = [
    values.tlsCertificate === undefined ? ['TLS (--tls-certificate, --tls-key)'] : [],
    authenticates(values) ? [] : ['authentication (--token-file, --jwt-keys or --tls-client-role)'],
  ].flat();
  if (missing.length === 0) return;
  throw new ConfigError(
    `${waysTo('listen')}: ${host} can be reached from other machines; give ${missing.join(' and ')}, ` +
      'listen on localhost, or say --insecure if the network is yours',
  );
}

function checkMetricsListen({ metricsListen, insecure, insecureMetrics }: Settings): void {
  if (metricsListen === undefined) return;
  const { host } = addressOf(metricsListen, 'metricsListen');
  if (isLoopback(host) || insecure || insecureMetrics) return;
  throw new ConfigError(
    `${waysTo('metricsListen')}: ${host} can be reached from other machines, and figures go out in clear text to anybody; ` +
      'listen on localhost, or say --insecure-metrics if whoever reaches it may read them',
  );
}

/** The DMD service that the settings name; undefined when one is to be started. */
function dmdConnection(values: Settings): DmdConnection | undefined {
  const { dmdAddress: address, dmdTokenFile: tokenFile, insecure } = values;
  const { dmdTlsCa: ca, dmdTlsCertificate: certificate, dmdTlsKey: key, dmdTlsDomain: domain } = values;
  const CREDENTIALS = ['dmdTlsCa', 'dmdTlsCertificate', 'dmdTlsKey', 'dmdTlsDomain', 'dmdTokenFile'] as const;
  const given = CREDENTIALS.find((name) => values[name] !== undefined);
  if (address === undefined) {
    if (given === undefined) return undefined;
    throw new ConfigError(
      `${flagOf(given)}: without --dmd-address the trainer starts a DMD service of its own`,
    );
  }
  const { host, port } = addressOf(address, 'dmdAddress');
  const where = waysTo('dmdAddress');
  if (port === 0) throw new ConfigError(`${where}: nothing can be reached at port 0 of "${address}"`);
  if ((certificate === undefined) !== (key === undefined)) {
    throw new ConfigError('--dmd-tls-certificate and --dmd-tls-key: give both or neither');
  }
  if (ca === undefined && given !== undefined && given !== 'dmdTokenFile') {
    throw new ConfigError(
      `${flagOf(given)}: give --dmd-tls-ca, too; without it the connection does not use TLS`,
    );
  }
  if (ca === undefined && !isLoopback(host) && !insecure) {
    throw new ConfigError(
      `${where}: ${host} is on another machine, and hypergradients would travel in clear text; ` +
        'give --dmd-tls-ca, or say --insecure if the network is yours',
    );
  }
  return { address, tls: ca === undefined ? undefined : { ca, certificate, key, domain }, tokenFile };
}

/** The store of objects that the settings name, or that a database is. */
function objectsLocation(values: Settings): ObjectsLocation | undefined {
  const { objects, objectsEndpoint: endpoint, objectsRegion: region, insecure } = values;
  const isS3 = objects !== undefined && /^s3:/i.test(objects);
  const given = (['objectsEndpoint', 'objectsRegion'] as const).find((name) => values[name] !== undefined);
  if (given !== undefined && !isS3) throw new ConfigError(`${waysTo(given)}: is for --objects s3://BUCKET`);
  if (endpoint !== undefined) checkEndpoint(endpoint, insecure);
  if (objects === undefined) return isDatabase(values.store) ? { kind: 'database', prefix: '' } : undefined;
  try {
    return parseLocation(objects, { endpoint, region });
  } catch (error) {
    if (!(error instanceof LocationError)) throw error;
    throw new ConfigError(`${waysTo('objects')}: ${error.message}`);
  }
}

function checkEndpoint(endpoint: string, insecure: boolean): void {
  const where = waysTo('objectsEndpoint');
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    throw new ConfigError(`${where}: is not an http or https URL`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new ConfigError(`${where}: has credentials in it; give them where the AWS SDK looks for them`);
  }
  if (url.protocol === 'http:' && !isLoopback(url.hostname) && !insecure) {
    throw new ConfigError(
      `${where}: ${url.hostname} is on another machine, and checkpoints would travel in clear text; ` +
        'give an https URL, or say --insecure if the network is yours',
    );
  }
}

function addressOf(address: string, name: SettingName): Address {
  const parsed = parseAddress(address);
  if (parsed === undefined) throw new ConfigError(`${waysTo(name)}: "${address}" is not host:port`);
  return parsed;
}
