/** How fast a client in TypeScript gets large windows to the service. */

import { startDmd } from '../../support/dmd.ts';
import type { Row } from '../row.ts';
import { median } from '../statistics.ts';
import { connect, messagesOf, noisyWindow, ROWS, stream } from './client.ts';

const COMPONENTS = 100_000;
/** Of one stream, one after the other. */
const WINDOWS = 10;
const WARM_UP = 2;
const STREAMS = 9;

/**
 * `dmd.stream_q100k_mb_s`: 10⁶ bytes of rows a second, from the first one sent to the last answer received, with all
 * windows analyzed in between. The client encodes the rows as the trainer does, and shares the processors with the service.
 */
export async function streamingRow(): Promise<Row> {
  const service = await startDmd();
  const client = connect(service.address);
  try {
    const rows = noisyWindow(COMPONENTS);
    const megabytes = (WINDOWS * ROWS * COMPONENTS * 8) / 1e6;
    const rates: number[] = [];
    for (let i = 0; i < WARM_UP + STREAMS; i++) {
      const start = performance.now();
      const answers = await stream(client, windows(rows));
      const seconds = (performance.now() - start) / 1e3;
      if (answers.length !== WINDOWS) throw new Error(`${answers.length} answers to ${WINDOWS} windows`);
      if (i >= WARM_UP) rates.push(megabytes / seconds);
    }
    return { name: 'dmd.stream_q100k_mb_s', value: median(rates), unit: 'MB/s', n: STREAMS };
  } finally {
    client.close();
    await service.stop();
  }
}

function* windows(rows: readonly Float64Array[]) {
  for (let i = 0; i < WINDOWS; i++) yield* messagesOf(`window-${i}`, rows);
}
