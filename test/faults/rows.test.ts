import { expect, it } from 'vitest';
import { faultRows } from './rows.ts';

const faults = new Map([
  ['kill -9 of the server', 3],
  ['a full disk', 1],
]);

it('faults are counted, and so is the share of them that nothing was found after', () => {
  const rows = (findings: number) =>
    faultRows({ faults, findings: Array(findings).fill({ kind: 'lost', text: 'a study' }) });
  expect(rows(0)).toMatchObject([
    { name: 'service.faults_injected', value: 4 },
    { name: 'service.faults_survived_share', value: 1 },
  ]);
  expect(rows(1)[1]?.value).toBe(0.75);
  expect(rows(9)[1]?.value).toBe(0);
});
