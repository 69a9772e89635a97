/** Errors of both servers are google.rpc.Status with typed details. */

import { DmdOptions, DmdServiceService, WindowSpec } from '@glocal/proto/glocal/v1/dmd';
import { Study } from '@glocal/proto/glocal/v1/study';
import { StudyServiceService } from '@glocal/proto/glocal/v1/study_service';
import { encodeRows } from '@glocal/trainer/dmd';
import { Metadata, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Channel } from '../support/grpc.ts';
import { refusal } from '../support/refusal.ts';
import { type Services, startServices } from '../support/services.ts';

let running: Services;
let studies: Channel;
let dmd: Channel;
beforeAll(async () => {
  running = await startServices();
  ({ studies, dmd } = running);
});
afterAll(() => running[Symbol.asyncDispose]());

describe('an error of the trainer', () => {
  const missing = { name: 'studies/none' };

  it('has a reason, and a request id', async () => {
    const error = await refusal(studies.unary(StudyServiceService.getStudy, missing));
    expect(error).toMatchObject({ code: status.NOT_FOUND, reason: 'NOT_FOUND', violations: [] });
    expect(error.requestId).toMatch(/^[0-9A-Z]{26}$/);
  });

  it('has the request id that the caller has given', async () => {
    const metadata = new Metadata();
    metadata.set('x-request-id', 'mine-42');
    const error = await refusal(studies.unary(StudyServiceService.getStudy, missing, metadata));
    expect(error.requestId).toBe('mine-42');
  });

  it('has one of its own when the caller has given one that cannot be logged', async () => {
    const metadata = new Metadata();
    metadata.set('x-request-id', 'x'.repeat(200));
    const error = await refusal(studies.unary(StudyServiceService.getStudy, missing, metadata));
    expect(error.requestId).toMatch(/^[0-9A-Z]{26}$/);
  });

  it('names the fields that are wrong as the contract does', async () => {
    const study = Study.fromPartial({ problem: { dataset: 'none', batchSize: -1 } });
    const { violations, reason } = await refusal(studies.unary(StudyServiceService.validateStudy, { study }));
    expect(reason).toBe('STUDY');
    expect(violations.map(({ field }) => field)).toEqual(
      expect.arrayContaining(['study.problem.dataset', 'study.problem.batch_size', 'study.training.steps']),
    );
  });

  it('says that a request without a study lacks it', async () => {
    const { code, violations } = await refusal(
      studies.unary(StudyServiceService.createStudy, { study: undefined, requestId: '' }),
    );
    expect(code).toBe(status.INVALID_ARGUMENT);
    expect(violations).toMatchObject([{ field: 'study', description: 'is missing' }]);
  });
});

describe('the DMD service', () => {
  const spec = WindowSpec.create({ rows: 4, components: 2, options: DmdOptions.create({ delays: 1 }) });
  const rows = Array.from({ length: 4 }, (_, t) => Float64Array.of(1, t));

  /** The window with one value replaced. */
  const spoilt = (value: number) =>
    rows.map((row, t) => (t === 2 ? Float64Array.of(row[0] as number, value) : row));

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    'refuses a window with %d in it, and says where',
    async (value) => {
      const error = await refusal(
        dmd.unary(DmdServiceService.analyzeWindow, { spec, hypergradients: encodeRows(spoilt(value)) }),
      );
      expect(error.code).toBe(status.INVALID_ARGUMENT);
      expect(error.violations).toHaveLength(1);
      expect(error.violations[0]?.field).toMatch(/^hypergradients/);
      expect(error.message).toMatch(/row 2|\[2\]/);
    },
  );

  it.each([Number.NaN, Number.POSITIVE_INFINITY])(
    'refuses a row with %d in it on a stream',
    async (value) => {
      const requests = [
        { windowId: 'w', payload: { $case: 'open' as const, value: spec } },
        ...spoilt(value).map((values, row) => ({
          windowId: 'w',
          payload: {
            $case: 'hypergradient' as const,
            value: { row, values: encodeRows([values]), firstComponent: undefined },
          },
        })),
      ];
      const error = await refusal(dmd.bidi(DmdServiceService.estimateGlocal, requests));
      expect(error.code).toBe(status.INVALID_ARGUMENT);
      expect(error.violations).toHaveLength(1);
      expect(error.message).toMatch(/row 2/);
    },
  );

  it('answers to the same window without it', async () => {
    const { report } = await dmd.unary(DmdServiceService.analyzeWindow, {
      spec,
      hypergradients: encodeRows(rows),
    });
    expect(report?.verdictReason).not.toBe('');
  });
});
