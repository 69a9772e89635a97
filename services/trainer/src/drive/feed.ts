/** What a driver has not been told yet. */

import type { OuterStep } from '@glocal/proto/glocal/v1/study';

export interface FeedListener {
  /** There is something to look at. */
  news(): void;
  /** The driver of this number came last: those with a lower one have lost the trial. */
  seated(number: number): void;
}

export class DriveFeed implements Disposable {
  /** Stored since it began, where the trial trains in this process; whoever tells of one takes it away. */
  readonly outerSteps: OuterStep[] = [];
  /** What comes of decisions that were made before. */
  readonly answers: OuterStep[] = [];
  readonly listener: FeedListener;
  readonly #end: () => void;

  /** @internal */
  constructor(listener: FeedListener, end: () => void) {
    this.listener = listener;
    this.#end = end;
  }

  [Symbol.dispose](): void {
    this.#end();
  }
}
