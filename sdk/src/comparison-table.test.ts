import { describe, expect, it } from 'vitest';
import type { ComparedStudy, Figure } from './comparison.ts';
import { tableOf } from './comparison-table.ts';
import type { Lead } from './lead.ts';
import { noVerdicts } from './result.ts';
import type { Trial } from './trial.ts';

const figure = (mean: number, more: Partial<Figure> = {}): Figure => ({
  ...{ mean, deviation: undefined, count: 1, difference: undefined, differenceError: undefined },
  ...more,
});
const best = (lr: number) => ({ choices: { optimizer: 'sgd' }, values: { lr } }) as unknown as Trial;
const fixed: ComparedStudy = {
  ...{ name: 'studies/1', displayName: 'by hand', state: 'COMPLETED', estimator: 'fixed' },
  evaluation: 'last_iterate',
  ...{ trials: 2, succeeded: 2, best: best(0.01), verdicts: noVerdicts() },
  figures: { validationLoss: figure(0.941, { deviation: 0.004, count: 2 }), cost: figure(1) },
};
const glocal: ComparedStudy = {
  ...{ name: 'studies/2', displayName: '', state: 'COMPLETED', estimator: 'glocal' },
  evaluation: 'averaged',
  ...{
    trials: 3,
    succeeded: 2,
    best: best(0.018312),
    verdicts: { ...noVerdicts(), TRUSTED: 17, UNCERTAIN: 3 },
  },
  figures: {
    validationLoss: figure(0.702, { deviation: 0.01, count: 2, difference: -0.239, differenceError: 0.008 }),
    cost: figure(1.353, { difference: 0.353 }),
  },
};
const studies = [fixed, glocal];
const lead: Lead = { study: 'studies/2', over: 'studies/1', by: 0.239, error: 0.008 };

describe('a comparison as text', () => {
  it('has a column for each study, and says which is better', () => {
    expect(tableOf({ studies, obstacles: [], lead }).split('\n')).toEqual([
      '                    by hand          studies/2',
      'state               COMPLETED        COMPLETED',
      'estimator           fixed            glocal',
      'weights             last_iterate     averaged',
      'trials              2 of 2           2 of 3',
      'validation loss     0.9410 ± 0.0040  0.7020 ± 0.0100 (−0.2390)',
      'cost in plain runs  1.00             1.35 (+0.35)',
      'optimizer           sgd              sgd',
      'lr                  0.01             0.01831',
      'verdicts            –                17 TRUSTED, 3 UNCERTAIN',
      '',
      'studies/2 is better: its validation loss is 0.2390 ± 0.0080 below that of by hand.',
    ]);
  });

  it('says when a lead may be one of seeds', () => {
    const text = tableOf({ studies, obstacles: [], lead: { ...lead, by: 0.01 } });
    expect(text).toContain('0.0100 ± 0.0080 below that of by hand, which is less than two standard errors.');
  });

  it('says why figures cannot be compared', () => {
    const obstacles = [
      { field: 'problem.dataset', values: ['mnist', 'fashion-mnist'] },
      { field: 'training.steps', values: [100, 200] },
    ];
    expect(tableOf({ studies, obstacles, lead: undefined })).toContain(
      '\nThese figures cannot be compared: problem.dataset is mnist and fashion-mnist; training.steps is 100 and 200.',
    );
  });
});
