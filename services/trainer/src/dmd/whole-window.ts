/** One window in one message to the DMD service. */

import type { AnalyzeWindowRequest, DmdServiceClient, WindowReport } from '@glocal/proto/glocal/v1/dmd';
import { encodeRows } from '../resource/rows.ts';
import { metadataOf, specOf, type WindowShape } from './window-stream.ts';

/** A service may be told to take smaller messages than it does by itself, but hardly than this. */
const MAX_BYTES = 256 * 1024;

/** Whether a window is small enough. One with sizes of its own is worked on as its rows come, wherever it is sent. */
export const isSmall = ({ rows, components, scales }: WindowShape): boolean =>
  scales === undefined && 8 * rows * components <= MAX_BYTES;

export class WholeWindow {
  readonly #client: DmdServiceClient;
  readonly #request: AnalyzeWindowRequest;
  readonly #shape: WindowShape;

  /** @param rows all of them. */
  constructor(client: DmdServiceClient, shape: WindowShape, rows: readonly Float64Array[]) {
    this.#client = client;
    this.#shape = shape;
    this.#request = { spec: specOf(shape), hypergradients: encodeRows(rows) };
  }

  /**
   * The report.
   * @param withinMs then it is given up.
   * @throws ServiceError
   */
  answer(withinMs: number): Promise<WindowReport> {
    return new Promise((resolve, reject) => {
      const deadline = Date.now() + withinMs;
      this.#client.analyzeWindow(this.#request, metadataOf(this.#shape), { deadline }, (error, response) => {
        if (error !== null) reject(error);
        else if (response.report === undefined) reject(new Error('the answer has no report'));
        else resolve(response.report);
      });
    });
  }
}
