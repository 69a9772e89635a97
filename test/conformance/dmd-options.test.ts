/** A study may have the options of the decomposition that the DMD service takes, and no others: else its trials would fail. */

import { DmdOptions, DmdServiceService, Variant } from '@glocal/proto/glocal/v1/dmd';
import { Estimator, Study } from '@glocal/proto/glocal/v1/study';
import { StudyServiceService } from '@glocal/proto/glocal/v1/study_service';
import { encodeRows } from '@glocal/trainer/dmd';
import { type ServiceError, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Channel } from '../support/grpc.ts';
import { type Services, startServices } from '../support/services.ts';

let running: Services;
let studies: Channel;
let dmd: Channel;
beforeAll(async () => {
  running = await startServices();
  ({ studies, dmd } = running);
});
afterAll(() => running[Symbol.asyncDispose]());

const SIGMA = 20;
const UINT32 = 2 ** 32 - 1;
const edges = [0, 1, -1, 0.5, 1.5, 3, 1 - 2 ** -53, 5e-324, 1e308, UINT32, UINT32 + 1, 1e300];
const notNumbers = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];

const isAccepted = (call: Promise<unknown>): Promise<boolean> =>
  call.then(
    () => true,
    (error: ServiceError) => {
      expect(error.code, error.message).toBe(status.INVALID_ARGUMENT);
      return false;
    },
  );

it.each<[keyof DmdOptions, readonly number[]]>([
  ['delays', [0, 1, SIGMA - 1, SIGMA, UINT32]],
  ['svdRank', [...edges, ...notNumbers]],
  ['tolerance', [...edges, ...notNumbers]],
  ['clip', [...edges, ...notNumbers]],
  ['ridge', [...edges, ...notNumbers]],
  ['lastShare', [...edges, ...notNumbers]],
])('%s is taken by both or by none', async (option, values) => {
  const rows = Array.from({ length: SIGMA }, (_, t) =>
    Float64Array.of(1 + 0.5 ** t, -1 + 0.1 * Math.sin(t * t)),
  );
  const taken = new Set<boolean>();
  for (const value of values) {
    const options = { ...DmdOptions.create({ variant: Variant.AFFINE }), [option]: value };
    const study = Study.fromPartial({
      space: { parameters: [{ name: 'lr', kind: { $case: 'float', value: { max: 1, initial: 0.1 } } }] },
      problem: { dataset: 'fashion-mnist-10k', model: 'logistic', optimizer: 'sgd' },
      training: { steps: 100 },
      method: { estimator: Estimator.GLOCAL, sigma: SIGMA, dmd: options },
    });
    const spec = { rows: SIGMA, components: 2, options, priorNorms: [], scales: undefined };
    const byTrainer = await isAccepted(studies.unary(StudyServiceService.validateStudy, { study }));
    const byDmd = await isAccepted(
      dmd.unary(DmdServiceService.analyzeWindow, { spec, hypergradients: encodeRows(rows) }),
    );
    expect({ value, byTrainer }).toEqual({ value, byTrainer: byDmd });
    taken.add(byDmd);
  }
  expect(taken).toEqual(new Set([true, false]));
});
