/** A client that trains by itself and reports its hypergradients, below the SDK: written from the contract alone. */

import {
  type DmdAbsence,
  Estimator,
  FloatParameter,
  type OuterOptimizer,
  type OuterStep,
  RunMode,
  Scale,
  Study,
} from '@glocal/proto/glocal/v1/study';
import {
  Report,
  type ReportHypergradientsRequest,
  type ReportHypergradientsResponse,
  type ReportPosition,
  StudyServiceClient,
} from '@glocal/proto/glocal/v1/study_service';
import { type ClientDuplexStream, credentials } from '@grpc/grpc-js';

export const SIGMA = 10;
export const WINDOW = 20;

type Response = NonNullable<ReportHypergradientsResponse['response']>;
type Fields = Partial<Omit<Report, 'hypergradients'>> & { readonly rows?: readonly (readonly number[])[] };

/** Rows as they are sent. */
export const bytesOf = (rows: readonly (readonly number[])[]): Buffer =>
  Buffer.from(Float64Array.from(rows.flat()).buffer);

const float = (name: string, value: Partial<FloatParameter>) => ({
  name,
  kind: { $case: 'float' as const, value: FloatParameter.fromPartial(value) },
});

/** A study of a vector `mix` and a single `rate`. */
export const externalStudy = ({
  windows = 4,
  size = 2,
  estimator = Estimator.GLOCAL,
  ...method
}: {
  windows?: number;
  size?: number;
  estimator?: Estimator;
  dmdAbsence?: DmdAbsence;
  outer?: OuterOptimizer;
} = {}) =>
  Study.fromPartial({
    mode: RunMode.EXTERNAL,
    space: {
      parameters: [
        float('mix', { min: 0, max: 1, initial: 0.5, size }),
        float('rate', { min: -4, max: 4, initial: 2, scale: Scale.LINEAR }),
        { name: 'depth', kind: { $case: 'fixed', value: { value: 3 } } },
      ],
    },
    training: { steps: windows * WINDOW },
    method: { estimator, window: WINDOW, sigma: SIGMA, ...method },
  });

export class Reporter implements Disposable {
  readonly client: StudyServiceClient;
  #stream: ClientDuplexStream<ReportHypergradientsRequest, ReportHypergradientsResponse> | undefined;
  #answers: AsyncIterator<ReportHypergradientsResponse> | undefined;

  constructor(address: string) {
    this.client = new StudyServiceClient(address, credentials.createInsecure());
  }

  /** Creates a study. @returns the name of its trial. @throws ServiceError */
  async create(study: Study): Promise<string> {
    const { name } = await new Promise<Study>((resolve, reject) =>
      this.client.createStudy({ study, requestId: '' }, (error, created) =>
        error === null ? resolve(created) : reject(error),
      ),
    );
    return `${name}/trials/0`;
  }

  /** Begins a call. @returns its first answer. @throws ServiceError */
  async start(trial: string): Promise<Response> {
    this.open();
    return this.ask({ $case: 'start', value: { trial } });
  }

  /** The same, for a trial that goes on. */
  async position(trial: string): Promise<ReportPosition> {
    const answer = await this.start(trial);
    if (answer.$case !== 'position') throw new Error(`the first answer is ${answer.$case}`);
    return answer.value;
  }

  open(): void {
    this.#stream = this.client.reportHypergradients();
    this.#answers = this.#stream[Symbol.asyncIterator]() as AsyncIterator<ReportHypergradientsResponse>;
  }

  report({ rows = [], ...fields }: Fields): Promise<Response> {
    const value = Report.fromPartial({ outerStep: 1, hypergradients: bytesOf(rows), ...fields });
    return this.ask({ $case: 'report', value });
  }

  async ask(request: ReportHypergradientsRequest['request']): Promise<Response> {
    this.#stream?.write({ request });
    return this.next();
  }

  /** The next answer. @throws ServiceError; Error when there is none. */
  async next(): Promise<Response> {
    const { value, done } = (await this.#answers?.next()) ?? { done: true };
    if (done || value.response === undefined) throw new Error('the call has ended');
    return value.response;
  }

  /** The client has sent its last. @returns whether the call ends without another answer. */
  async finish(): Promise<boolean> {
    this.#stream?.end();
    return (await this.#answers?.next())?.done === true;
  }

  /** The outer steps of a trial, as they are stored. @throws ServiceError */
  outerSteps(trial: string): Promise<OuterStep[]> {
    const request = { parent: trial, pageSize: 100, pageToken: '', includeWindows: false };
    return new Promise((resolve, reject) =>
      this.client.listOuterSteps(request, (error, response) =>
        error === null ? resolve(response.outerSteps) : reject(error),
      ),
    );
  }

  cancel(): void {
    this.#stream?.on('error', () => {}).cancel();
  }

  [Symbol.dispose](): void {
    this.cancel();
    this.client.close();
  }
}

/**
 * What training would give: hypergradients of a quadratic whose minimum is at 0.2 for `mix` and 1 for `rate`, which settle
 * during a window. The same for the same values, outer step and row.
 */
export function rowsAt({ outerStep, values }: Pick<ReportPosition, 'outerStep' | 'values'>): number[][] {
  const natural = values
    .slice(0, 2)
    .flatMap((value) => (value.values.length > 0 ? value.values : [value.value]));
  return Array.from({ length: SIGMA }, (_, row) =>
    natural.map((value, k) => {
      const slope = value - (k === natural.length - 1 ? 1 : 0.2);
      const noise = Math.sin(1_000 * outerStep + 31 * row + 7 * k);
      return slope * (1 - 0.6 ** (row + 1)) + 0.01 * noise;
    }),
  );
}

/** Where the next window starts, after an outer step. */
export const after = ({ index, nextValues }: OuterStep): Pick<ReportPosition, 'outerStep' | 'values'> => ({
  outerStep: index + 1,
  values: nextValues,
});
