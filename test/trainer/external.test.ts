import {
  DmdAbsence,
  Estimator,
  Method,
  OuterOptimizer,
  OuterSchedule,
  type OuterStep,
  Source,
  Study,
  TrialState,
} from '@glocal/proto/glocal/v1/study';
import { type ReportPosition, StudyServiceService } from '@glocal/proto/glocal/v1/study_service';
import { unknownFields } from '@glocal/proto/unknown-fields';
import { type ServiceError, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { canFillDisk, fillDisk, freeDisk } from '../support/disk.ts';
import { Channel } from '../support/grpc.ts';
import { dmdProcesses } from '../support/processes.ts';
import { refusal } from '../support/refusal.ts';
import { after, externalStudy, Reporter, rowsAt, SIGMA, WINDOW } from '../support/reporter.ts';
import { TestTrainer, temporaryFolder } from '../support/trainer.ts';

let trainer: TestTrainer;
let channel: Channel;
const cleanUp = new AsyncDisposableStack();
beforeAll(async () => {
  trainer = cleanUp.use(await TestTrainer.start());
  channel = cleanUp.use(new Channel(trainer.address));
});
afterAll(() => cleanUp.disposeAsync());

/** Of a run that nothing disturbs and of one that something does: without names and times. */
const essence = ({ timing, name, report, ...outerStep }: OuterStep) => ({
  ...outerStep,
  report: report && { ...report, computeTime: undefined },
});

type Cut = (rows: number[][]) => number[][][];
const atOnce: Cut = (rows) => [rows];
const oneByOne: Cut = (rows) => rows.map((row) => [row]);

/** Reports a window from where it is. @returns the outer step. */
async function reportWindow(
  reporter: Reporter,
  at: Pick<ReportPosition, 'outerStep' | 'values'>,
  cut: Cut,
  from = 0,
) {
  let firstRow = from;
  for (const rows of cut(rowsAt(at).slice(from))) {
    const answer = await reporter.report({ outerStep: at.outerStep, firstRow, rows });
    firstRow += rows.length;
    if (answer.$case === 'outerStep') return answer.value;
    expect(answer).toMatchObject({ $case: 'position', value: { rows: firstRow, values: [] } });
  }
  throw new Error('the last row made no outer step');
}

/** A whole trial. */
async function run(study: Study, cut: Cut = atOnce): Promise<OuterStep[]> {
  using reporter = new Reporter(trainer.address);
  const outerSteps: OuterStep[] = [];
  const windows = (study.training?.steps ?? 0) / WINDOW;
  let at: Pick<ReportPosition, 'outerStep' | 'values'> = await reporter.position(
    await reporter.create(study),
  );
  while (outerSteps.length < windows) {
    const outerStep = await reportWindow(reporter, at, cut);
    outerSteps.push(outerStep);
    at = after(outerStep);
  }
  expect(await reporter.next()).toMatchObject({ $case: 'ended', value: { state: TrialState.SUCCEEDED } });
  expect(await reporter.finish()).toBe(true);
  return outerSteps;
}

describe('a trial whose client trains', () => {
  it('goes to the optimum, and is stored as any other', async () => {
    using reporter = new Reporter(trainer.address);
    const name = await reporter.create(externalStudy({ windows: 40 }));
    let at: Pick<ReportPosition, 'outerStep' | 'values'> = await reporter.position(name);
    expect(at).toMatchObject({
      outerStep: 1,
      values: [
        { name: 'mix', value: 0.5, values: [0.5, 0.5] },
        { name: 'rate', value: 2, values: [] },
        { name: 'depth', value: 3, values: [] },
      ],
    });
    for (let window = 1; window <= 40; window++) {
      const outerStep = await reportWindow(reporter, at, atOnce);
      expect(outerStep.window).toMatchObject({ rows: SIGMA, components: ['mix/0', 'mix/1', 'rate'] });
      at = after(outerStep);
    }
    expect(await reporter.next()).toMatchObject({
      $case: 'ended',
      value: { state: TrialState.SUCCEEDED, stepsDone: 40 * WINDOW, stateReason: 'all 800 inner steps done' },
    });
    const [mix, rate] = at.values;
    expect(Math.abs((mix?.value as number) - 0.2)).toBeLessThan(0.1);
    expect(Math.abs((rate?.value as number) - 1)).toBeLessThan(0.2);
    const study = await trainer.client.studies.get(name.slice(0, name.indexOf('/trials')));
    expect(study.state).toBe('COMPLETED');
    const schedule = await channel.unary(StudyServiceService.exportSchedule, {
      name,
      pageSize: 0,
      pageToken: '',
    });
    expect(schedule.points).toHaveLength(41);
  });

  it.each([Estimator.LOCAL, Estimator.MEAN, Estimator.MEDIAN, Estimator.GLOCAL])(
    'takes the same path whether rows come one by one or at once, with estimator %d',
    async (estimator) => {
      const study = externalStudy({ estimator, windows: 3 });
      const rows = estimator === Estimator.LOCAL ? 1 : SIGMA;
      const last =
        (cut: Cut): Cut =>
        (all) =>
          cut(all.slice(-rows));
      const atOnceSteps = await run(study, last(atOnce));
      expect((await run(study, last(oneByOne))).map(essence)).toEqual(atOnceSteps.map(essence));
    },
  );

  it('may be of a client that is newer: what it says of a window goes out as it came, what it asked for beyond this version is not in the study', async () => {
    using reporter = new Reporter(trainer.address);
    const news = { [unknownFields]: { [(1000 << 3) | 2]: [Buffer.from([3, 110, 101, 119])] } };
    const { method, ...study } = externalStudy({ windows: 1 });
    const name = await reporter.create({
      ...study,
      ...news,
      method: { ...Method.fromPartial(method ?? {}), ...news },
    });
    const validation = { loss: 0.5, accuracy: 0.5, examples: 10, ...news };
    const rows = rowsAt(await reporter.position(name));
    await reporter.report({ rows, validation });
    const [outerStep] = await reporter.outerSteps(name);
    expect(outerStep?.validation).toEqual(validation);
    const stored = await channel.unary(StudyServiceService.getStudy, {
      name: name.slice(0, name.indexOf('/trials')),
    });
    expect([stored, stored.method].map((message) => message?.[unknownFields])).toEqual([
      undefined,
      undefined,
    ]);
  });

  it('starts where its trial starts, and is told the numbers that the trial has chosen', async () => {
    using reporter = new Reporter(trainer.address);
    const study = externalStudy({ windows: 1 });
    const parameters = [
      ...(study.space?.parameters ?? []),
      { name: 'batch', kind: { $case: 'discrete' as const, value: { values: [8, 16] } } },
      { name: 'framework', kind: { $case: 'categorical' as const, value: { values: ['torch', 'jax'] } } },
    ];
    const first = await reporter.create({ ...study, space: { parameters } });
    const { values } = await reporter.position(first.replace(/0$/, '3'));
    expect(values.map(({ name, value }) => [name, value])).toEqual([
      ...[
        ['mix', 0.5],
        ['rate', 2],
        ['depth', 3],
      ],
      ['batch', 16],
    ]);
  });

  it('takes the same path when rows come in parts', async () => {
    using reporter = new Reporter(trainer.address);
    const study = externalStudy({ windows: 1 });
    const position = await reporter.position(await reporter.create(study));
    let answer: Awaited<ReturnType<Reporter['next']>> | undefined;
    for (const [firstRow, row] of rowsAt(position).entries()) {
      const part = (firstComponent: number, end: number) =>
        reporter.report({ firstRow, firstComponent, rows: [row.slice(firstComponent, end)] });
      expect(await part(0, 1)).toMatchObject({ value: { rows: firstRow, components: 1 } });
      answer = await part(1, 3);
    }
    const [expected] = await run(study);
    expect(essence(answer?.value as OuterStep)).toEqual(essence(expected as OuterStep));
  });

  it('goes on where it was when its client comes back, and takes rows again', async () => {
    const study = externalStudy({ windows: 2 });
    const expected = await run(study);
    using first = new Reporter(trainer.address);
    const name = await first.create(study);
    const rows = rowsAt(await first.position(name));
    await first.report({ rows: rows.slice(0, 4), trainLoss: 3 });
    first.cancel();
    using second = new Reporter(trainer.address);
    const position = await second.position(name);
    expect(position).toMatchObject({ outerStep: 1, rows: 4, components: 0 });
    const answer = await second.report({ firstRow: 2, rows: rows.slice(2) });
    expect(answer).toMatchObject({ $case: 'outerStep', value: { trainLoss: 3 } });
    const outerStep = answer.value as OuterStep;
    // The answer may have been lost, so that the client sends its last rows again.
    expect(await second.report({ firstRow: 8, rows: rows.slice(8) })).toEqual(answer);
    expect(await second.report({ firstRow: 0, rows: rows.slice(0, 2) })).toMatchObject({
      $case: 'position',
      value: { outerStep: 2, rows: 0 },
    });
    const next = await reportWindow(second, after(outerStep), atOnce);
    const withoutLoss = [outerStep, next].map((step) => ({ ...essence(step), trainLoss: Number.NaN }));
    expect(withoutLoss).toEqual(expected.map(essence));
    expect(await second.next()).toMatchObject({ $case: 'ended' });
    expect(await new Reporter(trainer.address).start(name)).toMatchObject({ $case: 'ended' });
  });

  it('starts where its trial does, of those that the study makes', async () => {
    using reporter = new Reporter(trainer.address);
    const study = externalStudy();
    study.space?.parameters.push({
      name: 'layers',
      kind: { $case: 'int', value: { min: 1, max: 2, step: 1 } },
    });
    const [mix] = study.space?.parameters ?? [];
    if (mix?.kind?.$case === 'float') {
      mix.kind.value = { ...mix.kind.value, initial: 0, initials: [0.25, 0.75] };
    }
    const first = await reporter.create(study);
    expect(await reporter.position(first.replace(/0$/, '3'))).toMatchObject({
      values: [
        { name: 'mix', value: 0.75, values: [0.75, 0.75] },
        { name: 'rate', value: 2 },
        { name: 'depth', value: 3 },
        { name: 'layers', value: 2 },
      ],
    });
  });

  it('has one client at a time: the later one', async () => {
    using first = new Reporter(trainer.address);
    const name = await first.create(externalStudy());
    await first.position(name);
    const told = refusal(first.next());
    using second = new Reporter(trainer.address);
    await second.position(name);
    expect(await told).toMatchObject({ code: status.ABORTED, reason: 'TAKEN_OVER' });
    expect(await second.report({ rows: [[1, 2, 3]] })).toMatchObject({ value: { rows: 1 } });
  });

  it('tells its client when the study is cancelled', async () => {
    using reporter = new Reporter(trainer.address);
    const name = await reporter.create(externalStudy());
    await reporter.position(name);
    const told = reporter.next();
    const study = await trainer.client.studies.get(name.slice(0, name.indexOf('/trials')));
    await study.cancel();
    expect(await told).toMatchObject({ $case: 'ended', value: { state: TrialState.CANCELLED } });
    expect(await reporter.finish()).toBe(true);
  });

  it('keeps what was reported while its study is paused, and tells its client of that', async () => {
    using reporter = new Reporter(trainer.address);
    const name = await reporter.create(externalStudy());
    const study = name.slice(0, name.indexOf('/trials'));
    const rows = rowsAt(await reporter.position(name));
    await reporter.report({ rows: rows.slice(0, 3) });
    const told = refusal(reporter.next());
    await channel.unary(StudyServiceService.pauseStudy, { name: study });
    const paused = { code: status.FAILED_PRECONDITION, reason: 'STATE' };
    expect(await told).toMatchObject(paused);
    expect(await refusal(reporter.start(name))).toMatchObject(paused);
    await channel.unary(StudyServiceService.resumeStudy, { name: study, trials: [] });
    expect(await reporter.position(name)).toMatchObject({ outerStep: 1, rows: 3 });
    expect(await reporter.report({ firstRow: 3, rows: rows.slice(3) })).toMatchObject({ $case: 'outerStep' });
  });

  it('is gone when its study is deleted', async () => {
    using reporter = new Reporter(trainer.address);
    const name = await reporter.create(externalStudy());
    await reporter.position(name);
    // It is cancelled first, which the client may be told.
    const told = reporter.next().then(
      ({ $case }) => $case,
      ({ code }: ServiceError) => code,
    );
    const study = name.slice(0, name.indexOf('/trials'));
    await channel.unary(StudyServiceService.deleteStudy, { name: study, force: true });
    expect(['ended', status.NOT_FOUND]).toContain(await told);
    expect(await refusal(reporter.start(name))).toMatchObject({ code: status.NOT_FOUND });
  });

  it('goes back when training has diverged, and is INFEASIBLE when that does not help', async () => {
    using reporter = new Reporter(trainer.address);
    const name = await reporter.create(externalStudy({ windows: 5 }));
    const position = await reporter.position(name);
    const validation = { loss: 1, accuracy: 0.5, examples: 100 };
    const rows = rowsAt(position);
    const first = (await reporter.report({ rows, trainLoss: 1, validation })).value as OuterStep;
    expect(first.validation).toEqual(validation);
    const second = (await reporter.report({ outerStep: 2, trainLoss: Number.NaN })).value as OuterStep;
    expect(second).toMatchObject({ step: WINDOW, update: { rolledBack: true } });
    expect(second.update?.rate).toBe((first.update?.rate as number) / 2);
    expect(second.window).toBeUndefined();
    const lost = { ...validation, loss: Number.POSITIVE_INFINITY };
    await reporter.report({ outerStep: 3, rows: rows.slice(0, 2), validation: lost });
    expect(await reporter.next()).toMatchObject({ $case: 'ended', value: { state: TrialState.INFEASIBLE } });
  });

  it('goes back when the loss that it reports rose by more than its study allows, with a rate that falls', async () => {
    using reporter = new Reporter(trainer.address);
    const outer = OuterOptimizer.create({ rate: 0.2, schedule: OuterSchedule.COSINE, maxLossRise: 0.5 });
    const name = await reporter.create(externalStudy({ windows: 2, outer }));
    const rows = rowsAt(await reporter.position(name));
    const report = async (outerStep: number, loss: number) => {
      const validation = { loss, accuracy: 0.5, examples: 100 };
      return (await reporter.report({ outerStep, rows, validation })).value as OuterStep;
    };
    expect((await report(1, 1)).update).toMatchObject({ rate: 0.2, rolledBack: false });
    expect(await report(2, 1.6)).toMatchObject({ step: WINDOW, update: { rate: 0.1, rolledBack: true } });
    const last = await report(3, 1.4);
    expect(last).toMatchObject({ step: 2 * WINDOW, update: { rolledBack: false } });
    expect(last.update?.rate).toBeCloseTo(0.1 * 0.5, 12);
  });

  it.each([
    ['report.outer_step', status.INVALID_ARGUMENT, { outerStep: 2, rows: [[1, 2, 3]] }],
    ['report.first_row', status.INVALID_ARGUMENT, { firstRow: 3, rows: [[1, 2, 3]] }],
    ['report.hypergradients', status.INVALID_ARGUMENT, { rows: [[1, 2]] }],
    ['report.hypergradients', status.INVALID_ARGUMENT, { rows: [[1, Number.NaN, 3]] }],
  ])('refuses a wrong report by its field %s', async (field, code, wrong) => {
    using reporter = new Reporter(trainer.address);
    await reporter.position(await reporter.create(externalStudy()));
    const error = await refusal(reporter.report(wrong));
    expect(error).toMatchObject({ code, violations: [{ field }] });
  });

  it('refuses another value for one that was stored', async () => {
    using reporter = new Reporter(trainer.address);
    const name = await reporter.create(externalStudy());
    await reporter.position(name);
    await reporter.report({
      rows: [
        [1, 2, 3],
        [4, 5, 6],
      ],
    });
    const error = await refusal(
      reporter.report({
        rows: [
          [1, 2, 3],
          [4, 5, 7],
        ],
      }),
    );
    expect(error).toMatchObject({ code: status.ALREADY_EXISTS, reason: 'REPORTED_OTHERWISE' });
    expect(error.message).toContain('row 1, component 2 (rate) of outer step 1');
  });

  it('refuses calls that are not about an external trial, or do not begin with start', async () => {
    using reporter = new Reporter(trainer.address);
    expect(await refusal(reporter.start('studies/none/trials/0'))).toMatchObject({ code: status.NOT_FOUND });
    expect(await refusal(reporter.start('none'))).toMatchObject({ violations: [{ field: 'start.trial' }] });
    reporter.open();
    expect(await refusal(reporter.report({}))).toMatchObject({ violations: [{ field: 'start' }] });
    reporter.open();
    expect(await refusal(reporter.ask(undefined))).toMatchObject({ code: status.INVALID_ARGUMENT });
    const managed = await reporter.create(
      Study.fromPartial({
        space: { parameters: [{ name: 'lr', kind: { $case: 'fixed', value: { value: 0.1 } } }] },
        problem: { dataset: 'fashion-mnist-10k', model: 'logistic', optimizer: 'sgd' },
        training: { steps: 1_000_000 },
        method: { estimator: Estimator.FIXED },
      }),
    );
    expect(await refusal(reporter.start(managed))).toMatchObject({ code: status.FAILED_PRECONDITION });
    await (await trainer.client.studies.get(managed.slice(0, managed.indexOf('/trials')))).cancel();
    const again = new Reporter(trainer.address);
    await again.position(await again.create(externalStudy()));
    expect(await refusal(again.ask({ $case: 'start', value: { trial: managed } }))).toMatchObject({
      violations: [{ field: 'start' }],
    });
  });
});

describe('an external trial without the DMD service', () => {
  const signalDmd = (server: TestTrainer, signal: 'SIGSTOP' | 'SIGCONT') => {
    for (const { pid } of dmdProcesses(server.pid)) process.kill(pid, signal);
  };

  it('uses the local hypergradient, or waits for it with its rows kept, as the study says', async () => {
    await using server = await TestTrainer.start({ args: ['--dmd-retry-seconds', '1'] });
    using reporter = new Reporter(server.address);
    const [fallsBack, waits] = [
      await reporter.create(externalStudy()),
      await reporter.create(externalStudy({ dmdAbsence: DmdAbsence.PAUSE })),
    ];
    signalDmd(server, 'SIGSTOP');
    const rows = rowsAt(await reporter.position(fallsBack));
    expect(await reporter.report({ rows })).toMatchObject({
      $case: 'outerStep',
      value: { report: undefined, update: { fellBack: true, sources: Array(3).fill(Source.LOCAL) } },
    });
    await reporter.position(waits);
    expect(await refusal(reporter.report({ rows }))).toMatchObject({
      code: status.UNAVAILABLE,
      reason: 'DMD_UNAVAILABLE',
    });
    signalDmd(server, 'SIGCONT');
    const decided = await vi.waitFor(
      async () => {
        expect(await reporter.position(waits)).toMatchObject({ outerStep: 1, rows: SIGMA });
        return reporter.next();
      },
      { timeout: 20_000, interval: 500 },
    );
    expect(decided).toMatchObject({ $case: 'outerStep', value: { index: 1, update: { fellBack: false } } });
  });
});

/** The next three rows, wherever the trial is. */
function nextReport(outerSteps: readonly OuterStep[], at: Pick<ReportPosition, 'outerStep' | 'rows'>) {
  const { outerStep, rows } = at;
  const { values = [] } = outerSteps[outerStep - 1] ?? {};
  return { outerStep, firstRow: rows, rows: rowsAt({ outerStep, values }).slice(rows, rows + 3) };
}

describe.skipIf(!canFillDisk)('an external trial on a full disk', () => {
  it('is told that nothing can be stored for now, and begins once there is room', async () => {
    await using server = await TestTrainer.start();
    using reporter = new Reporter(server.address);
    const trial = await reporter.create(externalStudy());
    fillDisk(server.pid);
    expect(await refusal(reporter.start(trial))).toMatchObject({
      code: status.UNAVAILABLE,
      reason: 'STORE_UNAVAILABLE',
    });
    freeDisk(server.pid);
    await vi.waitFor(async () => expect(await reporter.position(trial)).toMatchObject({ outerStep: 1 }), {
      timeout: 20_000,
      interval: 500,
    });
  });
});

describe('an external trial whose server ends', () => {
  it('by kill -9 at any moment goes on to the same end, with few components and with so many that rows are worked on as they come', async () => {
    const trials = await Promise.all(
      [2, 2_000].map(async (size) => {
        const study = externalStudy({ windows: 3, size });
        return { study, expected: await run(study), name: '' };
      }),
    );
    await using folder = await temporaryFolder();
    const store = `${folder.path}/studies.db`;
    for (const answers of [3, 6, 20]) {
      await using server = await TestTrainer.start({ store });
      using reporter = new Reporter(server.address);
      for (const trial of trials) {
        trial.name ||= await reporter.create(trial.study);
        let at: Pick<ReportPosition, 'outerStep' | 'rows'> = await reporter.position(trial.name);
        for (let count = 0; count < answers && at.outerStep <= trial.expected.length; count++) {
          const answer = await reporter.report(nextReport(trial.expected, at));
          if (answer.$case === 'position') at = answer.value;
          if (answer.$case === 'outerStep') at = { outerStep: answer.value.index + 1, rows: 0 };
        }
        // The server dies while it has one more to answer.
        reporter.report(nextReport(trial.expected, at)).catch(() => {});
      }
      await server.kill();
    }
    await using server = await TestTrainer.start({ store });
    using reporter = new Reporter(server.address);
    for (const { name, expected } of trials) {
      const ended = { state: TrialState.SUCCEEDED, attempts: 1, outerStepsDone: expected.length };
      expect(await reporter.start(name)).toMatchObject({ $case: 'ended', value: ended });
      expect((await reporter.outerSteps(name)).map(essence)).toEqual(expected.map(essence));
    }
  });

  it('by a signal tells its client to come again', async () => {
    await using server = await TestTrainer.start();
    using reporter = new Reporter(server.address);
    await reporter.position(await reporter.create(externalStudy()));
    const told = refusal(reporter.next());
    await server.server.stop();
    expect(await told).toMatchObject({ code: status.UNAVAILABLE, reason: 'SERVER_STOPPING' });
  });
});
