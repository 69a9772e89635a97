/** One study, live: its state, its trials and their outer steps. */

import { batch, type Signal, signal } from '@preact/signals';
import type { Fault, StepList, StepRow, StudyDetail, TabMessage, TrialRow } from '../../api.ts';
import { ask, faultOf } from './http.ts';
import { idOf, nameOf } from './router.ts';
import { look } from './stream.ts';

/** Outer steps of one trial, in order and without gaps. */
interface Course {
  readonly steps: Signal<readonly StepRow[]>;
  /** Steps that came before those in front of them were there. */
  readonly ahead: Map<number, StepRow>;
  reading: boolean;
  loaded: boolean;
}

/** A study that a page looks at. */
export class StudyModel {
  readonly id: string;
  readonly name: string;
  readonly detail = signal<StudyDetail | undefined>(undefined);
  readonly fault = signal<Fault | undefined>(undefined);
  /** Why outer steps could not be read. */
  readonly stepsFault = signal<Fault | undefined>(undefined);
  /** Inner steps done, by trial: between two outer steps, too. */
  readonly progress = signal<ReadonlyMap<string, number>>(new Map());
  readonly gone = signal<string | undefined>(undefined);
  /** By position of the trial. */
  readonly #courses = new Map<number, Course>();
  #ended: (() => void) | undefined;

  constructor(id: string) {
    this.id = id;
    this.name = nameOf(id);
  }

  /** Looks until {@link close}. @param position of a trial whose outer steps are asked for at once */
  open(position?: number): void {
    void this.load();
    if (position !== undefined) this.steps(position);
    this.#ended = look(
      [this.name],
      (message) => this.#hear(message),
      () => void this.#catchUp(),
    );
  }

  close(): void {
    this.#ended?.();
  }

  async load(): Promise<void> {
    try {
      const detail = await ask<StudyDetail>(`/api/studies/${this.id}`);
      batch(() => {
        this.detail.value = detail;
        this.fault.value = undefined;
      });
    } catch (error) {
      this.fault.value = faultOf(error);
    }
  }

  /** Outer steps of a trial, which are read when they are first asked for. */
  steps(position: number): Signal<readonly StepRow[]> {
    const course = this.#course(position);
    if (!course.loaded) void this.#read(position);
    return course.steps;
  }

  /** Reads outer steps that could not be read. */
  readAgain(position: number): void {
    void this.#read(position);
  }

  isLoaded(position: number): boolean {
    return this.#courses.get(position)?.loaded ?? false;
  }

  #course(position: number): Course {
    const known = this.#courses.get(position);
    if (known !== undefined) return known;
    const course: Course = { steps: signal([]), ahead: new Map(), reading: false, loaded: false };
    this.#courses.set(position, course);
    return course;
  }

  /** Steps after those that are there. */
  async #read(position: number): Promise<void> {
    const course = this.#course(position);
    if (course.reading) return;
    course.reading = true;
    try {
      const after = course.steps.peek().length;
      const { steps } = await ask<StepList>(`/api/studies/${this.id}/steps?trial=${position}&after=${after}`);
      course.loaded = true;
      this.#add(course, steps);
      if (steps.length === 0) course.steps.value = [...course.steps.peek()];
      this.stepsFault.value = undefined;
    } catch (error) {
      this.stepsFault.value = faultOf(error);
    } finally {
      course.reading = false;
    }
  }

  /** Takes steps in order; those that are there already change nothing. */
  #add(course: Course, steps: readonly StepRow[]): boolean {
    for (const step of steps) course.ahead.set(step.index, step);
    const next = [...course.steps.peek()];
    for (;;) {
      const step = course.ahead.get(next.length + 1);
      if (step === undefined) break;
      next.push(step);
    }
    for (const index of course.ahead.keys()) if (index <= next.length) course.ahead.delete(index);
    if (next.length !== course.steps.peek().length) course.steps.value = next;
    return course.ahead.size === 0;
  }

  async #catchUp(): Promise<void> {
    await this.load();
    for (const [position, { loaded }] of this.#courses) if (loaded) await this.#read(position);
  }

  #hear(message: TabMessage): void {
    if (message.type === 'study' && message.study.name === this.name) this.#renew({ study: message.study });
    if (message.type === 'snapshot' && message.study.name === this.name) {
      this.#renew({ study: message.study, trials: message.trials });
      for (const [position, course] of this.#courses) {
        const trial = message.trials.find((one) => one.position === position);
        if (course.loaded && (trial?.outerStepsDone ?? 0) > course.steps.peek().length)
          void this.#read(position);
      }
    }
    if (message.type === 'trial' && message.study === this.name) this.#renew({ trials: [message.trial] });
    if (message.type === 'gone' && message.study === this.name) this.gone.value = message.message;
    if (message.type === 'progress' && message.study === this.name)
      this.progress.value = new Map(this.progress.peek()).set(message.trial, message.stepsDone);
    if (message.type === 'step' && message.study === this.name) this.#hearStep(message.trial, message.step);
  }

  #hearStep(name: string, step: StepRow): void {
    const trial = this.detail.peek()?.trials.find((one) => one.name === name);
    if (trial === undefined) return;
    const { loss, accuracy, averagedLoss, averagedAccuracy } = step;
    const examples = trial.validation?.examples ?? 0;
    batch(() => {
      this.progress.value = new Map(this.progress.peek()).set(name, step.step);
      this.#renew({
        trials: [
          {
            ...trial,
            stepsDone: Math.max(trial.stepsDone, step.step),
            outerStepsDone: Math.max(trial.outerStepsDone, step.index),
            validation: { loss, accuracy, examples },
            averagedValidation: { loss: averagedLoss, accuracy: averagedAccuracy, examples },
          },
        ],
      });
      const course = this.#courses.get(trial.position);
      if (course?.loaded && !this.#add(course, [step])) void this.#read(trial.position);
    });
  }

  #renew({
    study,
    trials = [],
  }: {
    study?: Partial<StudyDetail['study']>;
    trials?: readonly TrialRow[];
  }): void {
    const before = this.detail.peek();
    if (before === undefined) return;
    const next = new Map(before.trials.map((trial) => [trial.name, trial]));
    for (const trial of trials) next.set(trial.name, trial);
    this.detail.value = {
      ...before,
      study: { ...before.study, ...study },
      trials: [...next.values()].sort((a, b) => a.position - b.position),
    };
  }
}

/** Milliseconds that a trial has left at the pace of its outer steps so far; undefined before the first. */
export function timeLeft(
  trial: TrialRow,
  stepsDone: number,
  steps: number,
  course: readonly StepRow[],
): number | undefined {
  const last = course.at(-1);
  if (last === undefined || last.step === 0) return undefined;
  const spent = course.reduce(
    (sum, { timing }) =>
      sum + timing.training + timing.hypergradients + timing.dmd + timing.other + timing.checkpoint,
    0,
  );
  return trial.state === 'RUNNING' ? (spent / last.step) * Math.max(0, steps - stepsDone) : undefined;
}

/** For pages that want several. */
export const modelOf = (name: string): StudyModel => new StudyModel(idOf(name));
