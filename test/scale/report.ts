/** What a run of a fleet came to, for people and as rows of the benchmark table. */

import type { Row } from '../bench/row.ts';
import { median } from '../bench/statistics.ts';
import type { Finding } from '../faults/finding.ts';
import { verdictOf } from './account.ts';
import type { Asked } from './meter.ts';
import type { Progress, ScaleResult } from './run.ts';

/** The kind that nothing may be of. */
const KINDS = ['lost', 'doubled', 'diverged'] as const satisfies readonly Finding['kind'][];

export const accountRows = ({ findings, trials }: ScaleResult): Row[] =>
  KINDS.map((kind) => ({
    name: `scale.${kind}`,
    value: findings.filter((finding) => finding.kind === kind).length,
    unit: 'count',
    n: trials,
  }));

/** Statements for each window. */
export const statementsPerWindow = ({ asked, windows }: ScaleResult): number => asked.statements / windows;

/** Its last line is the verdict. */
export function reportLines(result: ScaleResult): string[] {
  const { trials, windows, seconds, kills, recoveries, asked, quarters, findings } = result;
  const rate = (count: number) => (count / seconds).toFixed(2);
  const recovered = recoveries.map((ms) => ms / 1_000);
  return [
    `${trials} trials, ${windows} windows in ${seconds.toFixed(0)} s: ${rate(trials)} trials/s, ${rate(windows)} windows/s`,
    `${kills} processes killed`,
    recovered.length === 0
      ? 'no worker was killed while it trained'
      : `time to recover: median ${median(recovered).toFixed(1)} s, longest ${Math.max(...recovered).toFixed(1)} s (${recovered.length} trials)`,
    `database: ${perWindow(asked, windows)}`,
    ...quarters.map((quarter, i) => `  quarter ${i + 1} of the work: ${perWindow(quarter, quarter.windows)}`),
    ...findings.map(({ kind, text }) => `${kind}: ${text}`),
    verdictOf(findings),
  ];
}

const perWindow = ({ statements, ms }: Asked, windows: number): string =>
  windows === 0
    ? 'no window'
    : `${(statements / windows).toFixed(1)} statements and ${(ms / windows).toFixed(2)} ms for each window`;

/** One line. @param trials in all. */
export function progressLine({ trialsEnded, kills, share, seconds }: Progress, trials: number): string {
  const left = share > 0 ? `, about ${Math.ceil((seconds * (1 - share)) / share)} s left` : '';
  return `${seconds.toFixed(0).padStart(5)} s  ${trialsEnded}/${trials} trials, ${(100 * share).toFixed(0)} %, ${kills} killed${left}`;
}
