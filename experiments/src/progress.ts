/** How far an experiment is, and how long the rest of it will take. */

import { setTimeout as sleep } from 'node:timers/promises';
import { type Board, clock, Pace } from '@glocal/cli/terminal';
import type { Started } from './run.ts';

const LOOK_MS = 3_000;
/** Where lines do not move, one a minute is enough. */
const LINE_MS = 60_000;

/** Shows how much of all inner steps, each as long as a plain one, is done, until the signal. */
export async function showProgress(
  started: readonly Started[],
  board: Board,
  signal: AbortSignal,
): Promise<void> {
  const works = started.map((arm) => new Work(arm));
  const look = async (): Promise<void> => {
    for (const work of works) await work.look(signal);
  };
  const sum = (of: (work: Work) => number): number =>
    Math.round(works.reduce((all, work) => all + of(work), 0));
  const done = (): number => sum((work) => work.done);
  try {
    await look();
    const total = sum((work) => work.total);
    const line = board.line('steps', total, done());
    const pace = new Pace();
    let lastLine = performance.now();
    while (!signal.aborted) {
      const now = performance.now();
      pace.mark(done(), now);
      line.progress(done());
      const left = pace.left(total);
      if (!board.live && now - lastLine >= LINE_MS && left !== undefined) {
        line.status(done(), `${clock(left)} left`);
        lastLine = now;
      }
      await sleep(LOOK_MS, undefined, { signal });
      await look();
    }
  } catch (error) {
    // What runs the studies tells of what goes wrong with them.
    if (!signal.aborted) throw error;
  }
}

/** What a study has to do, in plain steps. */
class Work {
  readonly #study: Started['study'];
  done = 0;
  total = 0;

  constructor({ study }: Started) {
    this.#study = study;
  }

  async look(signal: AbortSignal): Promise<void> {
    if (this.done > 0 && this.done === this.total) return;
    const { training, method, predictedCost } = this.#study;
    const trials = await Array.fromAsync(this.#study.trials({ signal }));
    const steps = training.steps * Math.max(1, method.trainings);
    this.total = trials.length * steps * predictedCost;
    this.done = trials.reduce(
      (sum, { endTime, stepsDone }) => sum + (endTime === undefined ? stepsDone : steps) * predictedCost,
      0,
    );
  }
}
