import { expect, it } from 'vitest';
import { StudyTraces } from './study-traces.ts';

it('the traces of the studies made last are known', () => {
  const traces = new StudyTraces();
  for (let i = 0; i <= 10_000; i++) traces.remember(`studies/${i}`, { traceparent: `${i}` });
  expect(traces.of('studies/0')).toBeUndefined();
  expect(traces.of('studies/1')).toEqual({ traceparent: '1' });
  expect(traces.of('studies/10000')).toEqual({ traceparent: '10000' });
});
