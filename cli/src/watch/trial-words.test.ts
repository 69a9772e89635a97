import {
  categorical,
  fixed,
  float,
  network,
  type SentOuterStep,
  space,
  type Trial,
  vector,
} from '@glocal/sdk';
import { expect, it } from 'vitest';
import { reasonWords, shownParameters, TrialCourse, trialWords } from './trial-words.ts';

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

it('says why trials have not succeeded, those with the same reason together', () => {
  const waiting = { state: 'PENDING', stateReason: 'waiting for a worker' } as const;
  const lost = { state: 'PENDING', stateReason: 'its worker has not been heard of for 11 s' } as const;
  const running = { state: 'RUNNING', stateReason: '' } as const;
  expect(reasonWords([lost, running, ...Array.from({ length: 11 }, () => waiting)])).toBe(
    'trial 0 PENDING: its worker has not been heard of for 11 s\n' +
      'trials 2, 3, 4, 5, 6, 7, 8, 9 and 3 more PENDING: waiting for a worker',
  );
  const done = { state: 'SUCCEEDED', stateReason: 'all 40 inner steps done' } as const;
  expect(reasonWords([running, done])).toBe('');
});

const lr = float({ min: 0.001, max: 1, init: 0.1 });

it('what moves is shown, vectors too, and children with the choice of their trial only', () => {
  const all = space({
    optimizer: categorical({
      sgd: { lr, momentum: vector({ min: 0, max: 1, init: 0.1, per: 'layer' }) },
      adam: { beta2: lr },
    }),
    weightDecay: fixed(0),
    reweighting: network(),
  });
  expect(shownParameters(all, { choices: { optimizer: 'sgd' } })).toEqual(['lr', 'momentum', 'reweighting']);
  expect(shownParameters(all, { choices: { optimizer: 'adam' } })).toEqual(['beta2', 'reweighting']);
});

it('a vector is shown by its smallest and its largest value, and a step that came without it says so', () => {
  const words = (value: unknown) => {
    const outerStep = { nextValues: { lr: value }, ...figures } as unknown as SentOuterStep;
    return new TrialCourse(['lr'], 'averaged', false).words(outerStep);
  };
  expect(words([0.02, 0.01, 0.04])).toBe('lr 0.0100…0.0400   val 1.000');
  expect(words([0.02, 0.02])).toBe('lr 0.0200   val 1.000');
  expect(words(undefined)).toBe('lr –   val 1.000');
});
