/** What campaigns of faults say, as rows of the benchmark table. */

import type { Row } from '../bench/row.ts';
import type { Tally } from './campaign.ts';

/** How many faults were made, and the share of them that nothing was found after. */
export function faultRows({ faults, findings }: Pick<Tally, 'faults' | 'findings'>): Row[] {
  const injected = [...faults.values()].reduce((sum, count) => sum + count, 0);
  const survived = injected === 0 ? 0 : Math.max(0, 1 - findings.length / injected);
  return [
    { name: 'service.faults_injected', value: injected, unit: 'count', n: 1 },
    { name: 'service.faults_survived_share', value: survived, unit: 'ratio', n: injected },
  ];
}
