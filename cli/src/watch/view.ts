/** A study while it is watched: a line of progress for each trial that runs. */

import type { EvaluationPoint, Study, StudyEvent, Trial, Verdict, VerdictCounts } from '@glocal/sdk';
import type { Board, ProgressLine } from '../terminal.ts';
import { shownParameters, TrialCourse, trialWords } from './trial-words.ts';

/** States in which a trial has a line. */
const RUNS = 'RUNNING';
const ENDED: ReadonlySet<string> = new Set(['SUCCEEDED', 'FAILED', 'INFEASIBLE', 'CANCELLED']);

interface Watched {
  readonly title: string;
  readonly course: TrialCourse;
  line?: ProgressLine | undefined;
  stepsDone: number;
}

export class StudyView {
  readonly #steps: number;
  readonly #evaluation: EvaluationPoint;
  readonly #board: Board;
  readonly #trials: ReadonlyMap<string, Watched>;
  readonly #verdicts = new Map<string, Partial<Record<Verdict, number>>>();
  #state: string;

  constructor(study: Study, trials: readonly Trial[], board: Board) {
    this.#steps = study.training.steps ?? 0;
    this.#evaluation = study.method.evaluation;
    this.#board = board;
    this.#state = 'ACTIVE';
    this.#trials = new Map(
      trials.map((trial, i) => {
        const names = shownParameters(study.space, trial);
        const course = new TrialCourse(names, this.#evaluation, board.live);
        return [trial.name, { title: `trial ${i}`, course, stepsDone: 0 }];
      }),
    );
  }

  /** How often each verdict came so far, by the trial's name. */
  get verdicts(): ReadonlyMap<string, Partial<VerdictCounts>> {
    return this.#verdicts;
  }

  show(event: StudyEvent): void {
    if (event.type === 'study') this.#study(event.state, event.stateReason);
    else if (event.type === 'trial') this.#trial(event);
    else if (event.type === 'progress') this.#progress(event.trial, event.stepsDone);
    else if (event.type === 'outerStep') {
      const watched = this.#trials.get(event.trial);
      if (watched === undefined) return;
      if (event.verdict !== undefined) this.#count(event.trial, event.verdict);
      watched.stepsDone = event.step;
      this.#lineOf(watched).status(event.step, watched.course.words(event));
    }
  }

  #study(state: string, reason: string): void {
    // That it is ACTIVE is seen by its trials; how it ended comes after all of them.
    if (state === 'PAUSED') this.#board.note(`study PAUSED   ${reason}`);
    else if (state === 'ACTIVE' && this.#state === 'PAUSED') this.#board.note('study goes on');
    this.#state = state;
  }

  #trial(trial: Trial): void {
    const watched = this.#trials.get(trial.name);
    if (watched === undefined) return;
    watched.stepsDone = trial.stepsDone;
    if (trial.state === RUNS) this.#lineOf(watched).progress(trial.stepsDone);
    else if (ENDED.has(trial.state)) {
      const words = `${watched.title}   ${trialWords(trial, this.#evaluation)}`;
      // The only one keeps its bar; several would not fit.
      if (watched.line !== undefined) watched.line.end(this.#trials.size > 1 ? words : undefined);
      else this.#board.note(words);
    } else if (trial.state === 'PAUSED')
      this.#board.note(`${watched.title}   ${trialWords(trial, this.#evaluation)}`);
  }

  #progress(trial: string, stepsDone: number): void {
    const watched = this.#trials.get(trial);
    if (watched === undefined) return;
    watched.stepsDone = stepsDone;
    this.#lineOf(watched).progress(stepsDone);
  }

  #lineOf(watched: Watched): ProgressLine {
    watched.line ??= this.#board.line(watched.title, this.#steps, watched.stepsDone);
    return watched.line;
  }

  #count(trial: string, verdict: Verdict): void {
    const counts = this.#verdicts.get(trial) ?? {};
    counts[verdict] = (counts[verdict] ?? 0) + 1;
    this.#verdicts.set(trial, counts);
  }
}
