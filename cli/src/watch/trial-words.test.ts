import type { SentOuterStep, Trial } from '@glocal/sdk';
import { expect, it } from 'vitest';
import { TrialCourse, trialWords } from './trial-words.ts';

const figures = { validation: { loss: 2 }, averagedValidation: { loss: 1 } };

it.each([
  ['averaged', '1.000'],
  ['last_iterate', '2.000'],
] as const)('the validation loss of a study that tunes its %s weights is theirs', (evaluation, loss) => {
  const outerStep = { nextValues: { lr: 0.1 }, ...figures } as unknown as SentOuterStep;
  expect(new TrialCourse(['lr'], evaluation, false).words(outerStep)).toBe(`lr 0.100   val ${loss}`);
  const trial = { state: 'SUCCEEDED', stateReason: '', ...figures } as unknown as Trial;
  expect(trialWords(trial, evaluation)).toBe(`SUCCEEDED   val ${loss}`);
});
