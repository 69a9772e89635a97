/** `client.external()`: a study whose client trains, created or taken up, and the loop around it. */

import { externalOptions } from './check/calls.ts';
import { check } from './check/rule.ts';
import { withFields } from './error.ts';
import { ExternalLoop } from './external-loop.ts';
import type { ReconnectOptions } from './reconnect.ts';
import type { ParameterMap, Space } from './space.ts';
import type { ExternalStudySpec, Method } from './spec.ts';
import type { Studies } from './studies.ts';

/** Options of `client.external()`: of a new study, or of one by its name. */
export type ExternalOptions<P extends ParameterMap = ParameterMap> = NewExternal<P> | KnownExternal<P>;

interface OfTrial extends ReconnectOptions {
  /** Its position among the study's trials, or its name. @default 0 */
  readonly trial?: number | string | undefined;
}

/** A study to make, or to go on with where the same `requestId` has made it. */
export interface NewExternal<P extends ParameterMap>
  extends OfTrial,
    Pick<Method, 'window' | 'sigma' | 'stride' | 'dmd' | 'outer' | 'dmdAbsence'> {
  readonly space: Space<P>;
  /** Inner steps in all: a multiple of `window`. */
  readonly steps: number;
  /** What moves the values: `local` takes one hypergradient of a window, the others `sigma`. @default 'glocal' */
  readonly estimator?: 'local' | 'mean' | 'median' | 'glocal';
  /** For people; at most 200 characters. @default empty */
  readonly displayName?: string;
  /** For programs, which ask `studies.list` for them. @default none */
  readonly labels?: Readonly<Record<string, string>>;
  /**
   * Names the study, in 1 to 128 characters: the same call goes on with it, also in a program that was started again.
   * @default a random UUID: a new study for each call
   */
  readonly requestId?: string | undefined;
  readonly name?: undefined;
}

/** A study that was made before. */
export interface KnownExternal<P extends ParameterMap> extends OfTrial {
  /** `studies/{study}` */
  readonly name: string;
  /** Gives the values the types of this space; the study must have its parameters. */
  readonly space?: Space<P> | undefined;
}

/** @throws GlocalError as `studies.create()`, `studies.get()` and `study.report()` do */
export async function external<P extends ParameterMap>(
  studies: Studies,
  options: ExternalOptions<P>,
): Promise<ExternalLoop<P>> {
  check([externalOptions, options, 'options']);
  const { trial, signal, timeout, metadata, reconnectTimeout, onDisconnect } = options;
  const call = { signal, metadata };
  const study =
    options.name === undefined
      ? await studies.create(specOf(options), { requestId: options.requestId, ...call }).catch(asGiven)
      : await studies.get<P>(options.name, { space: options.space, ...call });
  return ExternalLoop.open(study, { ...call, trial, timeout, reconnectTimeout, onDisconnect });
}

function specOf<P extends ParameterMap>(options: NewExternal<P>): ExternalStudySpec<P> {
  const { space, steps, estimator = 'glocal', window, sigma, stride, dmd, outer, dmdAbsence } = options;
  const { displayName, labels } = options;
  const method = { estimator, window, sigma, stride, dmd, outer, dmdAbsence };
  return {
    mode: 'external',
    space,
    training: { steps },
    method: given(method),
    ...given({ displayName, labels }),
  };
}

/** What is wrong with the study, with the fields as they are called in the options. */
function asGiven(error: unknown): never {
  const plain = (text: string): string => text.replace(/(?<![\w.])(?:method|training)\.(?=\w)/g, '');
  throw withFields(error, plain, plain);
}

/** Without what is undefined. */
const given = <Fields extends object>(fields: Fields) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    readonly [Key in keyof Fields]: Exclude<Fields[Key], undefined>;
  };
