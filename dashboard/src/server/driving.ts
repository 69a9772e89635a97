/** Trials that are driven by hand from a page: the windows that wait, and the decisions. */

import {
  type DrivenWindow,
  type GlocalClient,
  GlocalError,
  InvalidArgumentError,
  type NewValues,
  type Study,
} from '@glocal/sdk';
import type { DriveState } from '../api.ts';
import { faultOf } from './fault.ts';
import { proposalRow } from './rows.ts';

/** What is decided about a window. */
export interface DriveDecision {
  readonly action: 'accept' | 'hold' | 'set' | 'stop' | 'step';
  readonly values?: Readonly<Record<string, number>>;
  readonly outerRate?: number;
  readonly reason?: string;
  /** The outer step that it is about. */
  readonly index: number;
}

interface Drive {
  readonly study: string;
  readonly controller: AbortController;
  state: DriveState;
  window: DrivenWindow | undefined;
  /** Resolves when the window is decided. */
  decided: PromiseWithResolvers<void>;
}

/** The trials that a caller drives. */
export class Driving implements AsyncDisposable {
  readonly #client: GlocalClient;
  /** By trial. */
  readonly #drives = new Map<string, Drive>();
  readonly #listeners = new Set<(study: string, state: DriveState) => void>();

  constructor(client: GlocalClient) {
    this.#client = client;
  }

  subscribe(listener: (study: string, state: DriveState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Of the trials of a study that are driven from here. */
  of(study: string): DriveState[] {
    return [...this.#drives.values()].filter((drive) => drive.study === study).map(({ state }) => state);
  }

  /**
   * Takes a trial over, whoever drove it before.
   * @throws GlocalError FAILED_PRECONDITION for a study that is not driven
   */
  async take(name: string, trial: string): Promise<DriveState> {
    const study = await this.#client.studies.get(name);
    if (study.mode !== 'driven') {
      throw new GlocalError('FAILED_PRECONDITION', `${name} decides by itself: its mode is ${study.mode}`, {
        reason: 'NOT_DRIVEN',
      });
    }
    const known = this.#drives.get(trial);
    if (known !== undefined && ['waiting', 'proposed'].includes(known.state.state)) return known.state;
    const drive: Drive = {
      study: name,
      controller: new AbortController(),
      state: { trial, state: 'waiting' },
      window: undefined,
      decided: Promise.withResolvers(),
    };
    this.#drives.set(trial, drive);
    void this.#follow(study, drive);
    return drive.state;
  }

  /** Decides about the window that waits. @throws GlocalError */
  async decide(trial: string, decision: DriveDecision): Promise<void> {
    const drive = this.#drives.get(trial);
    const window = drive?.window;
    if (drive === undefined || window === undefined || window.index !== decision.index) {
      throw new GlocalError('FAILED_PRECONDITION', `no window ${decision.index} of ${trial} waits here`, {
        reason: 'NOT_WAITING',
      });
    }
    await made(window, decision);
    drive.window = undefined;
    this.#tell(drive, { trial, state: 'waiting' });
    drive.decided.resolve();
  }

  /** Leaves a trial to others; a window that waits goes on waiting until its deadline. */
  leave(trial: string): void {
    this.#drives.get(trial)?.controller.abort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { controller } of this.#drives.values()) controller.abort();
  }

  async #follow(study: Study, drive: Drive): Promise<void> {
    const { trial } = drive.state;
    const { signal } = drive.controller;
    try {
      for await (const window of study.drive({ trial, signal })) {
        drive.window = window;
        drive.decided = Promise.withResolvers();
        this.#tell(drive, { trial, state: 'proposed', proposal: proposalRow(window) });
        const left = Promise.withResolvers<void>();
        signal.addEventListener('abort', () => left.resolve(), { once: true });
        await Promise.race([drive.decided.promise, left.promise]);
        if (signal.aborted) break;
      }
      this.#tell(drive, { trial, state: 'ended', message: signal.aborted ? 'left' : 'it has ended' });
    } catch (error) {
      const { message } = faultOf(error);
      this.#tell(
        drive,
        signal.aborted ? { trial, state: 'ended', message: 'left' } : { trial, state: 'failed', message },
      );
    } finally {
      drive.window = undefined;
      if (this.#drives.get(trial) === drive) this.#drives.delete(trial);
    }
  }

  #tell(drive: Drive, state: DriveState): void {
    drive.state = state;
    for (const listener of this.#listeners) listener(drive.study, state);
  }
}

/** @throws GlocalError */
function made(
  window: DrivenWindow,
  { action, values = {}, outerRate, reason }: DriveDecision,
): Promise<unknown> {
  switch (action) {
    case 'accept':
      return window.accept(outerRate === undefined ? {} : { outerRate });
    case 'hold':
      return window.hold(outerRate === undefined ? {} : { outerRate });
    case 'set':
      return window.set(values as NewValues, outerRate === undefined ? {} : { outerRate });
    case 'step':
      return window.step({ outerRate: outerRate ?? Number.NaN });
    case 'stop':
      return window.stop(reason ?? 'by hand, from the dashboard');
    default:
      throw new InvalidArgumentError(`there is no decision ${String(action)}`, { reason: 'DECISION' });
  }
}
