/** What a search has found by when: its best validation accuracy, and the test accuracy of that trial. */

/** A training that came to an end, or to a stop, some time after a search began. */
export interface Found {
  /** Seconds that the search had taken by then, every training counted. */
  readonly seconds: number;
  /** Shares, 0 to 1; a training that diverged has found nothing. */
  readonly validation: number | undefined;
  readonly test: number | undefined;
}

/** One search from one random start. */
export interface Search {
  readonly method: string;
  readonly start: number;
  /** In the order of time. */
  readonly found: readonly Found[];
}

/** The best after some time; undefined before anything was found. */
export function bestBy({ found }: Search, seconds: number): Found | undefined {
  return found
    .filter((each) => each.seconds <= seconds && each.validation !== undefined)
    .reduce<Found | undefined>(
      (best, each) => (best !== undefined && (best.validation ?? 0) >= (each.validation ?? 0) ? best : each),
      undefined,
    );
}

/** Seconds until a validation accuracy was reached; undefined where it never was. */
export const timeTo = ({ found }: Search, validation: number): number | undefined =>
  found.find((each) => (each.validation ?? 0) >= validation)?.seconds;

/** A whole training without tuning, of which the curve was recorded. */
export interface PlainTraining {
  /** From its start to its end, with what a process takes to start. */
  readonly seconds: number;
  /** What it had after each part, oldest first; equally long parts, the last one whole. Fewer where it diverged. */
  readonly curve: readonly Pick<Found, 'validation'>[];
  readonly validation: number | undefined;
  readonly test: number | undefined;
}

/** One after the other. */
export function randomSearch(start: number, trainings: readonly PlainTraining[]): Search {
  let seconds = 0;
  const found = trainings.map((training) => {
    seconds += training.seconds;
    return { seconds, validation: training.validation, test: training.test };
  });
  return { method: 'random search', start, found };
}

/** η of successive halving: of so many trainings one goes on. */
const REDUCTION = 3;

/**
 * ASHA (Li et al., 2020, arXiv 1810.05934) with one worker, on the recorded curves: a training that would have been stopped has only
 * taken its share of the time. Rungs are a ninth, a third and the whole. Going on costs nothing besides, as it would from a
 * checkpoint in memory.
 * @param parts of each curve, a multiple of 9.
 */
export function asha(start: number, trainings: readonly PlainTraining[], parts: number): Search {
  const rungs = [parts / REDUCTION ** 2, parts / REDUCTION, parts];
  const waiting = [...trainings];
  /** Of each rung what has come to it, and whether it has gone on. */
  const reached = rungs.map(() => [] as { training: PlainTraining; accuracy: number; promoted: boolean }[]);
  const found: Found[] = [];
  let seconds = 0;
  for (;;) {
    const next = promotable(reached) ?? { rung: 0, training: waiting.shift() };
    const { rung, training } = next;
    if (training === undefined) return { method: 'ASHA', start, found };
    const [from, to] = [rungs[rung - 1] ?? 0, rungs[rung] ?? parts];
    // Where it diverged before, that took until then.
    const until = Math.min(to, Math.max(from, training.curve.length));
    seconds += training.seconds * ((until - from) / parts);
    const isWhole = rung === rungs.length - 1;
    const validation = isWhole ? training.validation : training.curve[to - 1]?.validation;
    reached[rung]?.push({ training, accuracy: validation ?? Number.NEGATIVE_INFINITY, promoted: false });
    found.push({
      seconds,
      validation: isWhole ? validation : undefined,
      test: isWhole ? training.test : undefined,
    });
  }
}

/** From the highest rung down, the best training that is among the best third of its rung and has not gone on. */
function promotable(
  reached: readonly { training: PlainTraining; accuracy: number; promoted: boolean }[][],
): { readonly rung: number; readonly training: PlainTraining } | undefined {
  for (let rung = reached.length - 2; rung >= 0; rung--) {
    const here = reached[rung] ?? [];
    const best = here
      .toSorted((a, b) => b.accuracy - a.accuracy)
      .slice(0, Math.floor(here.length / REDUCTION))
      .find(({ promoted, accuracy }) => !promoted && accuracy > Number.NEGATIVE_INFINITY);
    if (best === undefined) continue;
    best.promoted = true;
    return { rung: rung + 1, training: best.training };
  }
  return undefined;
}
