/**
 * All settings of the trainer, a row each. Flags, variables, keys of the configuration file and the table in
 * docs/settings.md follow from them.
 */

import { join } from 'node:path';
import envPaths from 'env-paths';
import { DMD_BINARY_IN_WORDS, findDmdBinary } from './dmd-binary.ts';
import { bytes, choice, type Kind, text, time, whole, yesOrNo } from './kinds.ts';

/** A setting. Its name gives flag, variable and key: `maxSteps`, `--max-steps`, `GLOCAL_MAX_STEPS`, `max_steps`. */
export interface Setting<T> {
  readonly kind: Kind<NonNullable<T>>;
  readonly default: T;
  /** For `--help` and docs/settings.md. */
  readonly about: string;
  /** The default for documents, where it depends on the machine. */
  readonly defaultInWords?: string;
}

/** A setting that has a value in any case. */
const setting = <T>(kind: Kind<T & {}>, usual: T, about: string, defaultInWords?: string): Setting<T> => ({
  ...{ kind, about, default: usual },
  ...(defaultInWords !== undefined && { defaultInWords }),
});

/** A setting that may be left out. */
const optional = <T>(kind: Kind<T & {}>, about: string): Setting<T | undefined> =>
  ({ kind, about, default: undefined }) as Setting<T | undefined>;

export const SETTINGS = {
  role: setting(
    choice(['all', 'server', 'worker']),
    'all',
    'what this process does: serve and train, only serve, or only train. Servers and workers share a PostgreSQL database',
  ),
  listen: setting(text('host:port'), '127.0.0.1:50061', 'address to listen on; port 0 for any free one'),
  store: setting(
    text('url'),
    join(envPaths('glocal', { suffix: '' }).data, 'studies.db'),
    'where studies and results are kept: the path of an SQLite file (or sqlite:PATH), a PostgreSQL database (postgres://USER@HOST:PORT/DATABASE), or memory:',
    "`studies.db` in the user's data folder",
  ),
  objects: optional(
    text('url'),
    'where checkpoints and uploaded files are kept, for several machines: s3://BUCKET/PREFIX of an S3-compatible store, or a folder that they share; both belong to one store of studies. By default in the database that is the store, or beside its file',
  ),
  objectsEndpoint: optional(
    text('url'),
    'URL of that S3-compatible store, where it is not that of AWS; addressed with the bucket in the path',
  ),
  objectsRegion: optional(
    text('name'),
    'region of the bucket; by default what the environment or the profile of AWS says',
  ),
  storeWaitSeconds: optional(
    time('seconds'),
    'how long a start waits for a server that has the store open, for instance one that is ending, or for a database that cannot be reached; without it there is no waiting',
  ),
  storePasswordFile: optional(
    text('file'),
    'file with the password for a database; without it that of PGPASSWORD, or of the file of passwords that PGPASSFILE names',
  ),
  storeConnections: setting(whole(2, 1_000), 10, 'connections to a database at most'),
  storeStatementSeconds: setting(
    time('seconds'),
    60,
    'how long a statement may run at a database, waits for others included',
  ),
  storeDir: optional(
    text('folder'),
    "where this machine has copies of the uploaded files that it trains on, with a database; by default a folder with the database's name in the user's data folder",
  ),
  tlsCertificate: optional(text('file'), 'PEM file with the certificate to serve with, and its chain'),
  tlsKey: optional(text('file'), 'PEM file with the private key of that certificate'),
  tlsClientCa: optional(
    text('file'),
    'PEM file with the roots that certificates of clients must lead to; with it every client must show one',
  ),
  tlsClientRole: optional(
    choice(['read', 'write', 'admin']),
    'role of a client that shows a certificate and no token; its owner is the common name of the certificate',
  ),
  tokenFile: optional(
    text('file'),
    'file with the hashed tokens of callers; `glocal-trainer token` makes them',
  ),
  jwtIssuer: optional(text('text'), 'issuer (`iss`) that a JSON Web Token of a caller must have'),
  jwtAudience: optional(text('text'), 'audience (`aud`) that it must have'),
  jwtKeys: optional(
    text('file|url'),
    'JSON Web Key Set (JWKS) whose keys have signed it: a file, or an https URL',
  ),
  jwtOwnerClaim: setting(text('name'), 'sub', 'claim of it that has the owner'),
  jwtRoleClaim: optional(
    text('name'),
    'claim of it that has the role, read, write or admin; without it all may write',
  ),
  jwtClockTolerance: setting(whole(0, 600), 30, 'seconds that its times may be off'),
  auditLog: optional(
    text('file'),
    'file for the records of changes, a line each; without it they are in the log, when callers are asked who they are',
  ),
  dmdAddress: optional(text('host:port'), 'DMD service to use; without it one is started'),
  dmdTlsCa: optional(
    text('file'),
    'PEM file with the roots that its certificate must lead to; with it the connection uses TLS',
  ),
  dmdTlsCertificate: optional(text('file'), 'PEM file with our own certificate, for mutual TLS'),
  dmdTlsKey: optional(text('file'), 'PEM file with the private key of that certificate'),
  dmdTlsDomain: optional(text('name'), 'name that its certificate is for, if not the host of the address'),
  dmdTokenFile: optional(text('file'), 'file with the bearer token that it asks for'),
  dmdBinary: setting(text('file'), findDmdBinary(), 'DMD service to start', DMD_BINARY_IN_WORDS),
  dmdRetrySeconds: setting(
    time('seconds'),
    60,
    'how long a trial waits for the DMD service before it does what its study says: use the local hypergradient, or pause',
  ),
  modelDir: optional(
    text('folder'),
    'folder of models to offer besides those built in: <id>/model.json each, a tfjs LayersModel',
  ),
  problemDir: optional(
    text('folder'),
    'folder of modules that are problems of their own: <id>.ts, .mts, .js or .mjs each, or a folder <id> with an index',
  ),
  backend: optional(
    choice(['tensorflow', 'wasm', 'cpu']),
    'tfjs backend; by default the fastest that is installed',
  ),
  maxRunningTrials: setting(whole(), 1, 'trials that train at a time, in this process'),
  maxOwnerRunningTrials: optional(
    whole(),
    'trials of one owner that train at a time, wherever; by default as many as there is room for. The same for all that share a store',
  ),
  workerName: optional(
    text('name'),
    'what a worker is called in logs and reasons; by default the name of the machine and the number of the process. A random part is added: no two are the same',
  ),
  leaseSeconds: setting(
    time('seconds'),
    10,
    'where several processes share a store: a worker that has not been heard of for so long has lost its trials to others. The same for all of them',
  ),
  maxWorkerDeaths: setting(
    whole(0),
    5,
    'where several processes share a store: so many workers that die or are not heard of for longer than their lease, one after the other, while they train a trial, and it is FAILED; 0 for any number. An outer step that is stored begins anew, and a worker that hands the trial back. The same for all that share a store',
  ),
  once: setting(
    yesOrNo(),
    false,
    'for `--role worker`: train one trial and exit, with a code that says what has become of it',
  ),
  onceNoWorkOk: setting(
    yesOrNo(),
    false,
    'for `--once`: where no trial waits the code is 0, not 10; for jobs whose trial another worker may have taken meanwhile',
  ),
  maxActiveStudies: setting(whole(), 100, 'studies that may be active'),
  maxOwnerActiveStudies: optional(
    whole(),
    'studies of one owner that may be active; by default as many as of all together',
  ),
  maxStudies: setting(whole(), 100_000, 'studies that are kept, in every state'),
  keepStudies: optional(
    whole(),
    'studies that have ended and are kept, those that ended last; older ones are deleted. By default all are kept',
  ),
  keepDays: optional(
    time('days'),
    'for how long a study is kept once it has ended; then it is deleted. By default for ever',
  ),
  maxCheckpointBytes: setting(
    bytes(0),
    0,
    'bytes of the checkpoints of all trials; without room a trial writes none, and would go on from an older one; 0 for no limit',
  ),
  drainSeconds: setting(
    time('seconds'),
    5,
    'how long a server that is stopped lets trials train to their next outer-step boundary',
  ),
  maxSteps: setting(whole(), 10_000_000, 'inner steps of a trial'),
  maxTrials: setting(whole(1, 10_000), 1_000, 'trials of a study'),
  maxWatchers: setting(
    whole(),
    1_000,
    'watchers that may be connected; those of one owner, where owners are known, at most half of them',
  ),
  maxWatchBytes: setting(
    bytes(1, 2 ** 31 - 1),
    256 * 1024 ** 2,
    'bytes of events that are kept for watchers, all of them together',
  ),
  maxArtifactBytes: setting(bytes(1), 1024 ** 3, 'bytes of one uploaded model or data set'),
  maxOwnerArtifactBytes: setting(bytes(1), 10 * 1024 ** 3, 'bytes of all that one owner has uploaded'),
  uploadIdleSeconds: setting(
    time('seconds'),
    60,
    'how long an upload may send nothing before it is ended: only eight go on at a time, four of one owner',
  ),
  maxDrivers: setting(
    whole(),
    100,
    'clients that may drive trials or report hypergradients at a time; on trials of one owner, where owners are known, at most half of them',
  ),
  maxTrialMemoryBytes: setting(
    bytes(0),
    0,
    'resident memory of a training process, whose trial FAILS when it takes more; 0 for no limit',
  ),
  trialSilenceSeconds: setting(
    time('seconds'),
    600,
    'how long a training process may make no step before it is ended, and started again',
  ),
  healthListen: optional(
    text('host:port'),
    'address for probes, of a worker too: grpc.health.v1 and nothing else, in plain text; none without it',
  ),
  metricsListen: optional(
    text('host:port'),
    'address for Prometheus, which finds figures at /metrics there, in plain text; none without it',
  ),
  insecureMetrics: setting(
    yesOrNo(),
    false,
    'allow to serve these figures off this machine; with --insecure they are in any case',
  ),
  logLevel: setting(choice(['debug', 'info', 'warn', 'error', 'silent']), 'info', 'how much to log'),
  insecure: setting(
    yesOrNo(),
    false,
    'allow to listen off this machine without TLS and authentication, and a DMD service or a database elsewhere without TLS',
  ),
  exitWithStdin: setting(yesOrNo(), false, 'stop when standard input closes, so as not to outlive a parent'),
};

export type SettingName = keyof typeof SETTINGS;

/** A value for each setting. */
export type Settings = {
  readonly [Name in SettingName]: (typeof SETTINGS)[Name] extends Setting<infer T> ? T : never;
};

/** The table, where the type of a value does not matter. */
export const settings = (): [SettingName, Setting<unknown>][] =>
  Object.entries(SETTINGS) as [SettingName, Setting<unknown>][];

/** `--max-steps` */
export const flagOf = (name: string): string => `--${words(name).join('-')}`;
/** `GLOCAL_MAX_STEPS` */
export const variableOf = (name: string): string => `GLOCAL_${words(name).join('_').toUpperCase()}`;
/** `max_steps` */
export const keyOf = (name: string): string => words(name).join('_');

/** As messages name it: `--max-steps (GLOCAL_MAX_STEPS)`. */
export const waysTo = (name: SettingName): string => `${flagOf(name)} (${variableOf(name)})`;

const words = (name: string): string[] => name.split(/(?=[A-Z])/).map((word) => word.toLowerCase());
