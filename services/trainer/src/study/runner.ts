/** Runs trials: a queue in this process, one training process per running trial, and the states that follow from it. */

import { Evaluation, OuterStep, Study, StudyState, Trial, TrialState } from '@glocal/proto/glocal/v1/study';
import type { Logger } from 'pino';
import type { DmdConnection } from '../dmd/connection.ts';
import type { EventHub } from '../events/hub.ts';
import { hasEnded } from '../resource/states.ts';
import type { Store } from '../store/store.ts';
import type { EndedMessage, StartMessage } from '../worker/messages.ts';
import { TrainingProcess } from '../worker/process.ts';

export interface RunnerOptions {
  readonly maxRunningTrials: number;
  readonly dmd: DmdConnection;
  readonly dmdRetryBudgetMs: number;
  readonly modelDir: string | undefined;
  readonly backend: StartMessage['backend'];
}

interface Running {
  readonly process: TrainingProcess;
  readonly done: Promise<void>;
  cancelled: boolean;
}

export class Runner {
  readonly #store: Store;
  readonly #hub: EventHub;
  readonly #log: Logger;
  readonly #options: RunnerOptions;
  /** Names of trials that wait, first in first out. */
  readonly #queue: string[] = [];
  readonly #running = new Map<string, Running>();
  #stopping = false;

  constructor(store: Store, hub: EventHub, log: Logger, options: RunnerOptions) {
    this.#store = store;
    this.#hub = hub;
    this.#log = log;
    this.#options = options;
  }

  /** Takes up what an earlier server left: waiting trials wait again, trials that were running have failed. */
  async recover(): Promise<void> {
    for (const trial of await this.#store.listUnfinishedTrials()) {
      const study = await this.#store.getStudy(studyOf(trial.name));
      if (study?.state === StudyState.CANCELLED) {
        await this.#end(trial, TrialState.CANCELLED, 'the study was cancelled');
      } else if (trial.state === TrialState.PENDING) {
        this.#queue.push(trial.name);
      } else {
        await this.#end(trial, TrialState.FAILED, 'the server stopped while the trial was running');
      }
    }
    // Whose last trial was ended, but not yet the study.
    for (const { name } of await this.#store.listActiveStudies()) {
      await this.#endStudyWhenDone(name);
      this.#hub.changed(name);
    }
    this.#startWaiting();
  }

  /** Queues trials that are stored as PENDING. */
  submit(trials: readonly Trial[]): void {
    this.#queue.push(...trials.map(({ name }) => name));
    this.#startWaiting();
  }

  /** Ends all trials of a study; resolves with the cancelled study, or with the study as it is when it has ended. */
  async cancel(study: Study): Promise<Study> {
    if (study.state !== StudyState.ACTIVE) return study;
    const cancelled = { ...study, ...stateNow(StudyState.CANCELLED, 'cancelled by a caller') };
    await this.#store.updateStudy(cancelled);
    this.#hub.changed(study.name);
    const trials = await this.#store.listTrials(study.name);
    // Those that wait first: else they would be started when the running ones make room.
    const waiting = trials.filter(({ name }) => this.#dequeue(name));
    const running = trials.flatMap(({ name }) => this.#running.get(name) ?? []);
    for (const trial of waiting) await this.#end(trial, TrialState.CANCELLED, 'the study was cancelled');
    await Promise.all(
      running.map(async (trial) => {
        trial.cancelled = true;
        await trial.process.kill();
        await trial.done;
      }),
    );
    return cancelled;
  }

  /** Stops all training; running trials end as FAILED, waiting ones wait for the next server. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const running = [...this.#running.values()];
    await Promise.all(running.map(({ process }) => process.kill()));
    await Promise.all(running.map(({ done }) => done));
  }

  /** Tells whether it waited. */
  #dequeue(name: string): boolean {
    const position = this.#queue.indexOf(name);
    if (position >= 0) this.#queue.splice(position, 1);
    return position >= 0;
  }

  #startWaiting(): void {
    while (!this.#stopping && this.#running.size < this.#options.maxRunningTrials) {
      const name = this.#queue.shift();
      if (name === undefined) return;
      const process = new TrainingProcess(this.#log);
      const running: Running = {
        process,
        cancelled: false,
        done: this.#run(name, process)
          .catch((error: unknown) => this.#log.error({ err: error, trial: name }, 'trial could not be ended'))
          .finally(() => {
            this.#running.delete(name);
            this.#startWaiting();
          }),
      };
      this.#running.set(name, running);
    }
  }

  async #run(name: string, process: TrainingProcess): Promise<void> {
    const trial = await this.#store.getTrial(name);
    const study = await this.#store.getStudy(studyOf(name));
    if (trial === undefined || study === undefined) throw new Error(`${name} is queued but not stored`);
    let current: Trial = { ...trial, state: TrialState.RUNNING, startTime: new Date(), stateReason: '' };
    const save = async (changes: Partial<Trial>) => {
      current = { ...current, ...changes };
      await this.#store.updateTrial(current);
      this.#hub.changed(study.name);
    };
    try {
      await save({});
      const ended = await process.run(this.#startMessage(study, current), {
        started: ({ backend, datasetSha256 }) => save({ backend, datasetSha256 }),
        progress: (stepsDone) =>
          this.#hub.progressed(study.name, { trial: name, stepsDone, steps: totalSteps(study) }),
        outerStep: async (encoded) => {
          const outerStep = OuterStep.decode(encoded);
          current = {
            ...current,
            stepsDone: outerStep.step,
            outerStepsDone: outerStep.index,
            values: outerStep.nextValues,
            validation: outerStep.validation,
            averagedValidation: outerStep.averagedValidation,
          };
          await this.#store.addOuterStep(current, outerStep);
          this.#hub.changed(study.name);
        },
      });
      await this.#finish(current, ended);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (this.#running.get(name)?.cancelled) {
        await this.#end(current, TrialState.CANCELLED, 'the study was cancelled');
      } else if (this.#stopping) {
        await this.#end(current, TrialState.FAILED, 'the server stopped while the trial was running');
      } else {
        this.#log.error({ err: error, trial: name }, 'trial failed');
        await this.#end(current, TrialState.FAILED, message);
      }
    }
  }

  #startMessage(study: Study, trial: Trial): StartMessage {
    const { dmd, dmdRetryBudgetMs, modelDir, backend } = this.#options;
    return {
      type: 'start',
      study: Study.encode(study).finish(),
      trial: Trial.encode(trial).finish(),
      dmd,
      dmdRetryBudgetMs,
      modelDir,
      backend,
    };
  }

  async #finish(trial: Trial, { outcome, reason, test, averagedTest }: EndedMessage): Promise<void> {
    switch (outcome) {
      case 'succeeded': {
        const figures = { test: Evaluation.decode(test), averagedTest: Evaluation.decode(averagedTest) };
        return this.#end({ ...trial, ...figures }, TrialState.SUCCEEDED, reason);
      }
      case 'infeasible':
        return this.#end(trial, TrialState.INFEASIBLE, reason);
      case 'failed':
        return this.#end(trial, TrialState.FAILED, reason);
    }
  }

  async #end(trial: Trial, state: TrialState, stateReason: string): Promise<void> {
    const study = studyOf(trial.name);
    await this.#store.updateTrial({ ...trial, state, stateReason, endTime: new Date() });
    this.#hub.forget(study, trial.name);
    await this.#endStudyWhenDone(study);
    this.#hub.changed(study);
  }

  async #endStudyWhenDone(name: string): Promise<void> {
    const study = await this.#store.getStudy(name);
    if (study?.state !== StudyState.ACTIVE) return;
    const trials = await this.#store.listTrials(name);
    if (!trials.every(hasEnded)) return;
    const succeeded = trials.filter(({ state }) => state === TrialState.SUCCEEDED).length;
    const reason = `${succeeded} of ${trials.length} trials succeeded`;
    const state = succeeded > 0 ? StudyState.COMPLETED : StudyState.FAILED;
    await this.#store.updateStudy({ ...study, ...stateNow(state, reason) });
  }
}

/** Inner steps of a trial; GLOBAL trains more than once. */
const totalSteps = ({ training, method }: Study): number => (training?.steps ?? 0) * (method?.trainings || 1);

const studyOf = (trial: string): string => trial.slice(0, trial.indexOf('/trials/'));

function stateNow(
  state: StudyState,
  stateReason: string,
): Pick<Study, 'state' | 'stateReason' | 'updateTime'> {
  return { state, stateReason, updateTime: new Date() };
}
