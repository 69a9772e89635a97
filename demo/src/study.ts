/** The study of the demo: what every run has in common, and one run of it from start to end. */

import type { Evaluation, GlocalClient, OuterStep, SentOuterStep, StudyResult } from '@glocal/sdk';
import type { DemoOptions } from './options.ts';
import type { RunKind } from './runs.ts';

export const PROBLEM = { dataset: 'fashion-mnist-10k', model: 'lenet' } as const;

/** The hyperparameters of the demo; a Schedule-Free optimizer has an interpolation in place of a momentum. */
export interface DemoValues {
  readonly lr: number | undefined;
  readonly momentum: number | undefined;
  readonly weightDecay: number | undefined;
}

/** Those of any run. */
export function demoValues(values: Readonly<Record<string, unknown>>): DemoValues {
  const number = (value: unknown) => (typeof value === 'number' ? value : undefined);
  const { lr, momentum, beta, weightDecay } = values;
  return { lr: number(lr), momentum: number(momentum ?? beta), weightDecay: number(weightDecay) };
}

/** The figures that say how good a run is. */
export const validationOf = (
  { weights }: Pick<RunKind, 'weights'>,
  { validation, averagedValidation }: Pick<SentOuterStep, 'validation' | 'averagedValidation'>,
): Evaluation => (weights === 'averaged' ? averagedValidation : validation);

/** A run that came to its end. */
export interface FinishedRun {
  readonly kind: RunKind;
  readonly result: StudyResult;
  /** With the rows of their windows. */
  readonly outerSteps: readonly OuterStep[];
  /** From the start of training to its end. */
  readonly seconds: number;
}

/** Told while a run trains. */
export interface RunListener {
  /** @param stepsDone inner steps. */
  progress(stepsDone: number): void;
  outerStep(outerStep: SentOuterStep): void;
}

/** The run did not succeed; the message is what the server says about it. */
export class RunError extends Error {
  override readonly name = 'RunError';
}

/**
 * Creates the study, unless the session has it already, and follows it to its end.
 * @throws RunError, and GlocalError CANCELLED after the signal; the study goes on with the session then.
 */
export async function run(
  client: GlocalClient,
  kind: RunKind,
  { steps, seed, session }: Pick<DemoOptions, 'steps' | 'seed'> & { readonly session: string },
  listener: RunListener,
  signal: AbortSignal,
): Promise<FinishedRun> {
  const study = await client.studies.create(
    {
      displayName: `demo, ${kind.id}`,
      space: kind.space(steps),
      problem: { ...PROBLEM, optimizer: kind.optimizer, batchSize: 128, validationExamples: 1_000 },
      training: { steps, seeds: [seed] },
      method: kind.method,
    },
    { requestId: `${session}-${kind.id}` },
  );
  for await (const event of study.watch({ signal })) {
    if (event.type === 'progress') listener.progress(event.stepsDone);
    if (event.type === 'outerStep') listener.outerStep(event);
  }
  const result = await study.result({ signal });
  const { best } = result;
  if (best === undefined) throw new RunError(result.trials[0]?.stateReason || result.stateReason);
  const { startTime, endTime } = best;
  return {
    kind,
    result,
    outerSteps: await Array.fromAsync(study.outerSteps({ includeWindows: true, signal })),
    seconds: ((endTime?.getTime() ?? 0) - (startTime?.getTime() ?? 0)) / 1_000,
  };
}
