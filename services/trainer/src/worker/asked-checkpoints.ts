/** Checkpoints that only the server can reach: a training process asks it, and has no credentials of its own. */

import type { CheckpointId, Checkpoints } from '../checkpoint/kept.ts';
import type { CheckpointSpace } from '../checkpoint/space.ts';
import { ObjectStoreError } from '../objects/errors.ts';
import type { CheckpointAnswerMessage, CheckpointAsk, CheckpointRequestMessage } from './messages.ts';

type Room = Pick<CheckpointSpace, 'lacks'>;

/** The training process's side. */
export class AskedCheckpoints implements Checkpoints, Room {
  readonly #tell: (message: CheckpointRequestMessage) => void;
  /** By the numbers of requests. */
  readonly #waiting = new Map<number, (message: CheckpointAnswerMessage) => void>();
  #requests = 0;

  constructor(tell: (message: CheckpointRequestMessage) => void) {
    this.#tell = tell;
  }

  /** An answer has come. */
  answered(message: CheckpointAnswerMessage): void {
    this.#waiting.get(message.number)?.(message);
    this.#waiting.delete(message.number);
  }

  put(outerStep: number, bytes: Uint8Array): Promise<CheckpointId> {
    return this.#ask({ what: 'put', outerStep, bytes });
  }

  get(id: CheckpointId): Promise<Uint8Array | undefined> {
    return this.#ask({ what: 'get', id });
  }

  list(): Promise<CheckpointId[]> {
    return this.#ask({ what: 'list' });
  }

  remove(id: CheckpointId): Promise<void> {
    return this.#ask({ what: 'remove', id });
  }

  discardIncomplete(): Promise<void> {
    return this.#ask({ what: 'discardIncomplete' });
  }

  lacks(bytes: number): Promise<string | undefined> {
    return this.#ask({ what: 'lacks', bytes });
  }

  #ask<T>(ask: CheckpointAsk): Promise<T> {
    this.#requests += 1;
    const number = this.#requests;
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(number, ({ answer, error }) => {
        if (error === undefined) return resolve(answer as T);
        const { failure, message } = error;
        reject(failure === undefined ? new Error(message) : new ObjectStoreError(failure, message));
      });
      this.#tell({ type: 'checkpointRequest', number, ask });
    });
  }
}

/**
 * The server's side: does what is asked.
 * @param checkpoints of the trial that asks, and its claim.
 */
export function answerAsk(checkpoints: Checkpoints, room: Room, ask: CheckpointAsk): Promise<unknown> {
  switch (ask.what) {
    case 'put':
      return checkpoints.put(ask.outerStep, ask.bytes);
    case 'get':
      return checkpoints.get(ask.id);
    case 'list':
      return checkpoints.list();
    case 'remove':
      return checkpoints.remove(ask.id);
    case 'discardIncomplete':
      return checkpoints.discardIncomplete();
    case 'lacks':
      return room.lacks(ask.bytes);
  }
}
