/** A client that drives trials, below the SDK. */

import type { Decision, OuterStep, Trial } from '@glocal/proto/glocal/v1/study';
import {
  DriveTrialRequest,
  type DriveTrialResponse,
  type Proposal,
  StudyServiceClient,
} from '@glocal/proto/glocal/v1/study_service';
import { type ClientDuplexStream, credentials } from '@grpc/grpc-js';

type Response = NonNullable<DriveTrialResponse['response']>;
/** What a response of a kind says. */
type Value<Kind> = { [R in Response as R['$case']]: R['value'] }[Kind & Response['$case']];

export const ACCEPT = { $case: 'accept', value: {} } as const satisfies Decision['action'];
export const HOLD = { $case: 'hold', value: {} } as const satisfies Decision['action'];
export const stopping = (reason: string): Decision['action'] => ({ $case: 'stop', value: { reason } });
export const setting = (values: Readonly<Record<string, number>>): Decision['action'] => ({
  $case: 'setValues',
  value: { values: Object.entries(values).map(([name, value]) => ({ name, value, values: [] })) },
});

/** What a driver does about an outer step. */
export type Choice = (outerStep: OuterStep) => Pick<Decision, 'action'> & Partial<Decision>;

export class Driver implements Disposable {
  readonly #client: StudyServiceClient;
  readonly #call: ClientDuplexStream<DriveTrialRequest, DriveTrialResponse>;
  readonly #responses: AsyncIterator<DriveTrialResponse>;

  /** @param address of the trainer. @param trial name. */
  constructor(address: string, trial: string, includeWindows = false) {
    this.#client = new StudyServiceClient(address, credentials.createInsecure());
    this.#call = this.#client.driveTrial();
    // Who asks for the next response is told; the cancellation at the end is nobody's business.
    this.#call.on('error', () => {});
    this.#responses = this.#call.iterator({ destroyOnReturn: false }) as AsyncIterator<DriveTrialResponse>;
    this.#call.write({ request: { $case: 'start', value: { trial, includeWindows } } });
  }

  decide(outerStep: number, decision: ReturnType<Choice>): void {
    this.#call.write(
      DriveTrialRequest.fromPartial({
        request: { $case: 'decision', value: { outerStep, ...decision } },
      }),
    );
  }

  /** @throws ServiceError */
  async next(): Promise<Response> {
    const { value, done } = await this.#responses.next();
    const response = done ? undefined : (value as DriveTrialResponse).response;
    if (response === undefined) throw new Error('the stream has ended');
    return response;
  }

  /** Waits for one of this kind, and leaves out what comes before. */
  async until<Kind extends Response['$case']>(kind: Kind): Promise<Value<Kind>> {
    for (;;) {
      const response = await this.next();
      if (response.$case === kind) return response.value as Value<Kind>;
      if (response.$case === 'ended') throw new Error(`the trial has ended: ${response.value.stateReason}`);
    }
  }

  proposal(): Promise<Proposal> {
    return this.until('proposal');
  }

  /**
   * Decides about each window until the trial ends, as which it returns.
   * @param heard called with each response.
   */
  async drive(choice: Choice, heard: () => void = () => {}): Promise<Trial> {
    for (;;) {
      const response = await this.next();
      heard();
      if (response.$case === 'ended') return response.value;
      if (response.$case !== 'proposal') continue;
      const { outerStep } = response.value;
      if (outerStep !== undefined) this.decide(outerStep.index, choice(outerStep));
    }
  }

  [Symbol.dispose](): void {
    this.#call.cancel();
    this.#client.close();
  }
}
