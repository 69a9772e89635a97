/** What the methods of the SDK take beside a specification: names, positions and options. */

import { StudyState } from '@glocal/proto/glocal/v1/study';
import { ArtifactKind } from '@glocal/proto/glocal/v1/study_service';
import type { ArtifactSource } from '../artifact-files.ts';
import type { UploadOptions } from '../artifacts.ts';
import type { DriveOptions } from '../drive.ts';
import { choices, names } from '../enums.ts';
import type { KnownExternal, NewExternal } from '../external.ts';
import type { LogLevel } from '../logger.ts';
import { keyProblem, valueProblem } from '../metadata.ts';
import type {
  CallOptions,
  ClientOptions,
  ConnectOptions,
  KeepaliveOptions,
  RetryOptions,
  TlsOptions,
} from '../options.ts';
import type { ListOptions } from '../pages.ts';
import type { ReanalyzeOptions } from '../reanalysis.ts';
import type { ReconnectOptions } from '../reconnect.ts';
import type { ReportOptions } from '../report-session.ts';
import type { ResultOptions } from '../result.ts';
import type { ParameterMap } from '../space.ts';
import type { CreateOptions, GetOptions, ListStudiesOptions } from '../studies.ts';
import type { DeleteOptions, OuterStepsOptions, ResumeOptions, ResumePoint, TrialOptions } from '../study.ts';
import { isToken, TOKEN_FORM } from '../token.ts';
import type { WatchOptions } from '../watch.ts';
import {
  callback,
  flag,
  INT32_MAX,
  isObject,
  list,
  object,
  oneOf,
  optional,
  type Rule,
  type Rules,
  record,
  rule,
  text,
  whole,
} from './rule.ts';
import { dmdOptions, space } from './specification.ts';

/** As long as Node's timers can wait; without limit with Infinity. */
const timeout = rule(
  (value) => typeof value === 'number' && value >= 0 && (value <= INT32_MAX || value === Infinity),
  `milliseconds from 0 to ${INT32_MAX}, or Infinity`,
);
const period = rule(
  (value) => typeof value === 'number' && value >= 1 && value <= INT32_MAX,
  `milliseconds from 1 to ${INT32_MAX}`,
);
const signal = rule(
  (value) => typeof value === 'object' && value !== null && 'aborted' in value && 'addEventListener' in value,
  'an AbortSignal',
);
/** 0 leaves it to the server. */
const pageSize = whole(0, INT32_MAX);
const requestId = rule(
  (value) => typeof value === 'string' && value !== '' && [...value].length <= 128 && value.isWellFormed(),
  'a string of 1 to 128 characters',
);
const trial = rule(
  (value) =>
    (typeof value === 'string' && value !== '') || (Number.isInteger(value) && (value as number) >= 0),
  'the position of a trial, from 0 on, or its name',
);

const metadata: Rule = (value, field, violations) => {
  record(() => {})(value, field, violations);
  if (!isObject(value)) return;
  for (const [key, entry] of Object.entries(value)) {
    const description = keyProblem(key) ?? valueProblem(key, entry);
    if (description !== undefined) violations.push({ field: `${field}.${key}`, description });
  }
};

export const call = { signal: optional(signal), timeout: optional(timeout), metadata: optional(metadata) };
const pages = { ...call, pageSize: optional(pageSize) };
const ofTrial = { ...call, trial: optional(trial) };
export const reconnecting: Rules<ReconnectOptions> = {
  ...call,
  reconnectTimeout: optional(timeout),
  onDisconnect: optional(callback),
};

/** A resource's name. What it must look like is the server's to say. */
export const resourceName = text;
/** The index of an outer step. */
export const outerStepIndex = whole(0, INT32_MAX);

export const callOptions = optional(object<CallOptions>(call));
export const listOptions = optional(object<ListOptions>(pages));
export const createOptions = optional(object<CreateOptions>({ ...call, requestId: optional(requestId) }));
export const getOptions = optional(object<GetOptions>({ ...call, space: optional(space) }));
export const trialOptions = optional(object<TrialOptions>(ofTrial));
export const outerStepsOptions = optional(
  object<OuterStepsOptions>({ ...pages, ...ofTrial, includeWindows: optional(flag) }),
);
export const watchOptions = optional(
  object<WatchOptions>({ ...reconnecting, cursor: optional(text), maxLag: optional(whole(0, INT32_MAX)) }),
);
export const resultOptions = optional(object<ResultOptions>({ ...reconnecting, schedules: optional(flag) }));
export const listStudiesOptions = optional(
  object<ListStudiesOptions>({
    ...pages,
    states: optional(list(oneOf(names(StudyState)))),
    labels: optional(record(text)),
  }),
);
export const comparedStudies = list(
  rule(
    (value) => typeof value === 'object' && value !== null && 'outerSteps' in value && 'trials' in value,
    'a study, as studies.get() gives it',
  ),
);
export const deleteOptions = optional(object<DeleteOptions>({ ...call, force: optional(flag) }));
export const resumeOptions = optional(
  object<ResumeOptions>({
    ...call,
    trials: optional(list(object<ResumePoint>({ trial, outerStep: optional(whole(1, INT32_MAX)) }))),
  }),
);

export const driveOptions = optional(
  object<DriveOptions>({ ...reconnecting, trial: optional(trial), includeWindows: optional(flag) }),
);
export const reportOptions = optional(object<ReportOptions>({ ...reconnecting, trial: optional(trial) }));

/** The study itself is checked when it is created. */
const ofStudy: Rule = () => {};
const newExternal = object<NewExternal<ParameterMap>>({
  ...reconnecting,
  trial: optional(trial),
  requestId: optional(requestId),
  name: optional(text),
  space,
  steps: ofStudy,
  window: ofStudy,
  sigma: ofStudy,
  stride: ofStudy,
  estimator: ofStudy,
  dmd: ofStudy,
  outer: ofStudy,
  dmdAbsence: ofStudy,
  displayName: ofStudy,
  labels: ofStudy,
});
const knownExternal = object<KnownExternal<ParameterMap>>({
  ...reconnecting,
  trial: optional(trial),
  name: text,
  space: optional(space),
});
export const externalOptions: Rule = (value, field, violations) =>
  (isObject(value) && value.name !== undefined ? knownExternal : newExternal)(value, field, violations);
export const reanalyzeOptions = optional(
  object<ReanalyzeOptions>({
    ...ofTrial,
    sigma: optional(whole(1, INT32_MAX)),
    dmd: optional(dmdOptions),
  }),
);

const sourceFile: Rule = (value, field, violations) => {
  if (typeof value !== 'string') bytesFile(value, field, violations);
};
const bytesFile = object<ArtifactSource>({
  path: text,
  content: rule((value) => value instanceof Uint8Array, 'a Uint8Array'),
});
/** A folder, or files. */
export const artifactSource: Rule = (value, field, violations) => {
  if (typeof value !== 'string') list(sourceFile)(value, field, violations);
};
export const uploadOptions = optional(
  object<UploadOptions>({
    ...call,
    kind: optional(oneOf(choices(ArtifactKind))),
    displayName: optional(text),
  }),
);

const pem = rule(
  (value) => typeof value === 'string' || value instanceof Uint8Array,
  'PEM text, or its bytes',
);
export const tlsOptions = object<TlsOptions>({
  ca: optional(pem),
  cert: optional(pem),
  key: optional(pem),
  serverName: optional(text),
});
/** What a function gives is checked where it is asked. */
const tls: Rule = (value, field, violations) => {
  if (value !== true && typeof value !== 'function') tlsOptions(value, field, violations);
};
/** What stands there instead may be a secret: it is not repeated. */
const token: Rule = (value, field, violations) => {
  if (!isToken(value) && typeof value !== 'function') {
    violations.push({ field, description: `must be ${TOKEN_FORM}` });
  }
};
const address: Rule = (value, field, violations) => {
  if (typeof value !== 'string') list(text)(value, field, violations);
};
const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];
/** An object of any kind, as `console` is one, whose levels are functions. */
const logger: Rule = (value, field, violations) => {
  const levels = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  const isOne =
    typeof value === 'function' ||
    (levels !== undefined &&
      LEVELS.every((level) => ['function', 'undefined'].includes(typeof levels[level])));
  if (!isOne) {
    const description = 'is neither a function nor an object with functions debug, info, warn, error';
    violations.push({ field, description });
  }
};
export const client = {
  address: optional(address),
  tls: optional(tls),
  token: optional(token),
  insecure: optional(flag),
  timeout: optional(timeout),
  keepalive: optional(object<KeepaliveOptions>({ time: optional(period), timeout: optional(period) })),
  retry: optional(
    object<RetryOptions>({
      maxAttempts: optional(whole(1, 5)),
      initialBackoff: optional(period),
      maxBackoff: optional(period),
    }),
  ),
  logger: optional(logger),
};

export const clientOptions = optional(object<ClientOptions>(client));
export const connectOptions = optional(
  object<ConnectOptions>({ ...client, signal: optional(signal), connectTimeout: optional(timeout) }),
);
