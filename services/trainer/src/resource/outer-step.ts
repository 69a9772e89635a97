/**
 * What of an outer step is large: the rows of its window and the contributions of its modes. They are kept and sent
 * apart from the rest, which events and lists are made of.
 */

import { type Decision, OuterStep } from '@glocal/proto/glocal/v1/study';
import { MAX_MESSAGE_BYTES } from './message-size.ts';

const NOTHING = Buffer.alloc(0);
/** What a message has around an outer step, and more. */
export const FRAME_BYTES = 1024;
const MAX_STEP_BYTES = MAX_MESSAGE_BYTES - FRAME_BYTES;

/** The step without the rows of its window and without the contributions of its modes. */
export function withoutLargeParts(outerStep: OuterStep): OuterStep {
  const { window, report } = outerStep;
  const spectrum = report?.spectrum;
  return {
    ...outerStep,
    window: window && { ...window, hypergradients: NOTHING },
    report: report && {
      ...report,
      spectrum: spectrum && {
        ...spectrum,
        modes: spectrum.modes.map((mode) => ({ ...mode, contribution: NOTHING })),
      },
    },
  };
}

/**
 * The step without anything that has an entry for each component: of a vector's values the mean is left. For a step that
 * would pass the message limit even without its large parts.
 */
export function withoutVectors(outerStep: OuterStep): OuterStep {
  const { values, nextValues, window, report, update } = withoutLargeParts(outerStep);
  return {
    ...outerStep,
    values: values.map((value) => ({ ...value, values: [] })),
    nextValues: nextValues.map((value) => ({ ...value, values: [] })),
    window: window && { ...window, components: [] },
    update: update && {
      ...update,
      ...{ hypergradient: [], sources: [], clipped: [] },
      decision: update.decision && withoutValues(update.decision),
    },
    report: report && {
      ...report,
      glocal: undefined,
      spread: undefined,
      componentTrusted: [],
      ...{ tScores: NOTHING, mean: NOTHING, median: NOTHING, last: NOTHING },
    },
  };
}

function withoutValues(decision: Decision): Decision {
  const { action } = decision;
  if (action?.$case !== 'setValues') return decision;
  const values = action.value.values.map((value) => ({ ...value, values: [] }));
  return { ...decision, action: { $case: 'setValues', value: { values } } };
}

/** An outer step of nothing but what {@link withoutLargeParts} takes away. */
export function largePartsOf({ window, report }: OuterStep): OuterStep {
  return OuterStep.fromPartial({
    ...(window && { window: { hypergradients: window.hypergradients } }),
    ...(report?.spectrum && {
      report: { spectrum: { modes: report.spectrum.modes.map(({ contribution }) => ({ contribution })) } },
    }),
  });
}

/** The whole step again, from its two halves. */
export function withLargeParts(outerStep: OuterStep, large: OuterStep): OuterStep {
  const { window, report } = outerStep;
  const spectrum = report?.spectrum;
  const modes = large.report?.spectrum?.modes;
  return {
    ...outerStep,
    window: window && { ...window, hypergradients: large.window?.hypergradients ?? NOTHING },
    report: report && {
      ...report,
      spectrum: spectrum && {
        ...spectrum,
        modes: spectrum.modes.map((mode, i) => ({
          ...mode,
          contribution: modes?.[i]?.contribution ?? NOTHING,
        })),
      },
    },
  };
}

/** The step as a list may hold it: without its vectors where it would pass the message limit on its own. */
export function forList(outerStep: OuterStep): OuterStep {
  return fits(outerStep) ? outerStep : withoutVectors(outerStep);
}

/** The step as who drives its trial is told of it: as an event has it, with the rows of its window where they fit. */
export function forDriver(outerStep: OuterStep, includeWindow: boolean): OuterStep {
  const lean = withoutLargeParts(outerStep);
  const whole = { ...lean, window: outerStep.window };
  return includeWindow && fits(whole) ? whole : forList(lean);
}

const fits = (outerStep: OuterStep): boolean =>
  leastBytes(outerStep) <= MAX_STEP_BYTES && OuterStep.encode(outerStep).finish().length <= MAX_STEP_BYTES;

/** What is known without encoding it, which takes long where it has megabytes. */
function leastBytes({ window, report, values, nextValues }: OuterStep): number {
  const { hypergradients } = window ?? {};
  const { glocal, spread, tScores, mean, median, last } = report ?? {};
  const vectors = [hypergradients, glocal, spread, tScores, mean, median, last];
  return (
    vectors.reduce((sum, bytes) => sum + (bytes?.length ?? 0), 0) +
    [...values, ...nextValues].reduce((sum, value) => sum + 8 * value.values.length, 0)
  );
}
