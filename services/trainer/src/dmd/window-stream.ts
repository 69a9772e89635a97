/** One window on one stream to the DMD service. */

import type {
  DmdOptions,
  DmdServiceClient,
  EstimateGlocalResponse,
  WindowReport,
  WindowSpec,
} from '@glocal/proto/glocal/v1/dmd';
import { type ClientDuplexStream, Metadata } from '@grpc/grpc-js';
import { encodeRow } from '../resource/rows.ts';
import { setTraceContext } from '../tracing/grpc.ts';
import type { TraceContext } from '../tracing/tracing.ts';
import { ESTIMATE, encodeHypergradient, encodeRequest } from './wire.ts';

/** What a window is: its shape, its options, and what came before it. */
export interface WindowShape {
  readonly rows: number;
  readonly components: number;
  readonly options: DmdOptions;
  /** Euclidean norms of earlier hypergradients, oldest first; at most 10,000. */
  readonly priorNorms: readonly number[];
  /** Sizes of the components in place of those in this window, so that rows are worked on as they come; all above 0. */
  readonly scales?: Float64Array | undefined;
  /** What its calls belong to. */
  readonly trace?: TraceContext | undefined;
}

/** As the contract has it. */
export const specOf = ({ rows, components, options, priorNorms, scales }: WindowShape): WindowSpec => ({
  ...{ rows, components, options },
  priorNorms: [...priorNorms],
  scales: scales && encodeRow(scales),
});

/** Of a call about a window. */
export function metadataOf({ trace }: WindowShape): Metadata {
  const metadata = new Metadata();
  if (trace !== undefined) setTraceContext(metadata, trace);
  return metadata;
}

const WINDOW_ID = 'window';

export class WindowStream {
  readonly #stream: ClientDuplexStream<Buffer, EstimateGlocalResponse>;
  readonly #answer: Promise<WindowReport>;
  #row = 0;

  constructor(client: DmdServiceClient, shape: WindowShape) {
    const { path, requestSerialize, responseDeserialize } = ESTIMATE;
    this.#stream = client.makeBidiStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      metadataOf(shape),
    );
    this.#answer = new Promise((resolve, reject) => {
      this.#stream.on('data', ({ report }: EstimateGlocalResponse) => {
        if (report !== undefined) resolve(report);
      });
      this.#stream.on('error', reject);
      this.#stream.on('end', () => reject(new Error('the stream ended without an answer')));
    });
    // Whoever never asks for the answer is not to be told of its failure.
    this.#answer.catch(() => {});
    const payload = { $case: 'open' as const, value: specOf(shape) };
    this.#stream.write(encodeRequest({ windowId: WINDOW_ID, payload }));
  }

  send(row: Float64Array): void {
    this.#stream.write(encodeHypergradient(WINDOW_ID, this.#row++, row, undefined));
  }

  /**
   * The report, once all rows have been sent.
   * @param withinMs then the stream is given up.
   * @throws ServiceError
   */
  async answer(withinMs: number): Promise<WindowReport> {
    this.#stream.end();
    const timer = setTimeout(() => this.#stream.cancel(), withinMs);
    try {
      return await this.#answer;
    } finally {
      clearTimeout(timer);
    }
  }

  cancel(): void {
    this.#stream.cancel();
  }
}
