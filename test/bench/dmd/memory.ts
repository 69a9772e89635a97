/** How much memory the service takes when more is asked of it than its limit allows. */

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { EstimateGlocalRequest, WindowReport } from '@glocal/proto/glocal/v1/dmd';
import { retryInfo } from '@glocal/trainer/dmd';
import { milliseconds } from '@glocal/trainer/testing';
import { startDmd } from '../../support/dmd.ts';
import type { Row } from '../row.ts';
import { connect, messagesOf, noisyWindow, stream } from './client.ts';

const COMPONENTS = 100_000;
const STREAMS = 100;
/** Twelve windows of 20 × 100,000 with their reports. */
const LIMIT_BYTES = 256 * 2 ** 20;
/** Windows that differ, so that an answer to another one is seen. */
const WINDOWS = 4;

/**
 * `dmd.rss_mb_100_streams_q100k`: the largest resident set of the service (10⁶ bytes) while 100 streams at once, each on
 * a connection of its own, want a window of 20 × 100,000 analyzed, of which `limits.max_held_bytes` admits fewer than
 * twelve at a time: what they send counts too. Who is refused comes again when the service says. `dmd.rss_limit_mb` is
 * the limit, `dmd.rss_idle_mb` what the service takes before the first window.
 * @returns no rows on a system that does not show the resident set in /proc.
 * @throws Error unless each window is answered as it is alone.
 */
export async function memoryRows(): Promise<Row[]> {
  if (!existsSync('/proc/self/status')) {
    process.stderr.write('dmd.rss_mb_100_streams_q100k is left out: this system has no /proc\n');
    return [];
  }
  const windows = Array.from({ length: WINDOWS }, () => [...messagesOf('window', noisyWindow(COMPONENTS))]);
  const expected = await answeredAlone(windows);
  const service = await startDmd({ env: { GLOCAL_DMD_LIMITS__MAX_HELD_BYTES: String(LIMIT_BYTES) } });
  try {
    const idle = await peakResidentBytes(service.pid);
    await Promise.all(
      Array.from({ length: STREAMS }, async (_, i) => {
        const report = await patiently(service.address, windows[i % WINDOWS] ?? []);
        if (!isDeepStrictEqual(report, expected[i % WINDOWS])) throw new Error(`stream ${i}: a wrong answer`);
      }),
    );
    const row = (name: string, bytes: number): Row => ({ name, value: bytes / 1e6, unit: 'MB', n: STREAMS });
    return [
      row('dmd.rss_mb_100_streams_q100k', await peakResidentBytes(service.pid)),
      row('dmd.rss_limit_mb', LIMIT_BYTES),
      row('dmd.rss_idle_mb', idle),
    ];
  } finally {
    await service.stop();
  }
}

/** The report on each window, of a service that does nothing else. */
async function answeredAlone(windows: readonly Messages[]): Promise<Report[]> {
  const service = await startDmd();
  try {
    const reports: Report[] = [];
    for (const messages of windows) reports.push(await patiently(service.address, messages));
    return reports;
  } finally {
    await service.stop();
  }
}

/** The report on a window, asked for again as long as the service says when. @throws ServiceError */
async function patiently(address: string, messages: Messages): Promise<Report> {
  // Clients of one address would share a connection.
  const client = connect(address, { 'grpc.use_local_subchannel_pool': 1 });
  try {
    for (;;) {
      try {
        const [answer] = await stream(client, messages);
        if (answer?.report === undefined) throw new Error('the stream ended without an answer');
        const { computeTime: _computeTime, ...report } = answer.report;
        return report;
      } catch (error) {
        const pause = retryDelay(error);
        if (pause === undefined) throw error;
        await sleep(pause);
      }
    }
  } finally {
    client.close();
  }
}

/** A window, encoded once for all streams that send it. */
type Messages = readonly EstimateGlocalRequest[];

/** A report without what differs from time to time. */
type Report = Omit<WindowReport, 'computeTime'>;

/** Milliseconds after which the service asks to come again; undefined when it does not. */
function retryDelay(error: unknown): number | undefined {
  const delay = retryInfo(error)?.retryDelay;
  return delay && milliseconds(delay);
}

/** The largest resident set that a process has had. */
async function peakResidentBytes(pid: number): Promise<number> {
  const [, kilobytes] = (await readFile(`/proc/${pid}/status`, 'utf8')).match(/^VmHWM:\s*(\d+) kB$/m) ?? [];
  if (kilobytes === undefined) throw new Error(`process ${pid} shows no VmHWM`);
  return Number(kilobytes) * 1024;
}
