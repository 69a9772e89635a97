/** `/api/studies`: what there is to see of studies, and what can be done with them. */

import {
  type DmdOptions,
  type ExternalStudySpec,
  type Framework,
  InvalidArgumentError,
  NotFoundError,
  type Study,
  type StudySpec,
  specFromJson,
  specFromYaml,
  specToJson,
  specToYaml,
} from '@glocal/sdk';
import { Hono } from 'hono';
import type {
  ParameterRow,
  SpecificationCheck,
  SpecificationTexts,
  StepDetail,
  StepList,
  StudyDetail,
  TrialRow,
  WhatIf,
} from '../api.ts';
import { bodyOf } from './body.ts';
import type { Caller } from './caller.ts';
import type { DriveDecision } from './driving.ts';
import { faultOf } from './fault.ts';
import type { Known } from './login.ts';
import { figures, parameterRows, spectrumRow, stepRow, studyRow, trialRow } from './rows.ts';
import { specificationCode } from './specification-code.ts';
import { windowRows } from './trial-records.ts';

type Specification = StudySpec | ExternalStudySpec;

const nameOf = (id: string): string => `studies/${id}`;

function wrong(field: string, description: string): never {
  throw new InvalidArgumentError(`${field}: ${description}`, {
    reason: 'REQUEST',
    fieldViolations: [{ field, description }],
  });
}

/** A whole number from 0 on. */
function countOf(field: string, text: string | undefined, otherwise?: number): number {
  const number = text === undefined || text === '' ? otherwise : Number(text);
  if (number === undefined || !Number.isSafeInteger(number) || number < 0)
    wrong(field, 'is not a whole number');
  return number;
}

/** A study, and its trial at a position by its name. @throws GlocalError NOT_FOUND */
async function trialAt(
  caller: Caller,
  id: string,
  position: string | number | undefined,
): Promise<{ study: Study; trial: string }> {
  const { study, trials } = await caller.studies.of(nameOf(id));
  const trial = trials[countOf('trial', position?.toString(), 0)];
  if (trial !== undefined) return { study, trial };
  throw new NotFoundError(`${study.name} has no trial ${position}; it has ${trials.length}, from 0 on`, {
    reason: 'NOT_FOUND',
  });
}

async function detailOf(study: Study): Promise<StudyDetail> {
  const trials: TrialRow[] = [];
  for await (const trial of study.trials({ pageSize: 1_000 })) trials.push(trialRow(trial, trials.length));
  const { predictedCost, decisionTimeout, method } = study;
  const parameters: readonly ParameterRow[] = parameterRows(study.space.parameters);
  return {
    study: { ...studyRow(study), predictedCost, decisionTimeout, evaluation: method.evaluation },
    ...{ parameters, trials },
    spec: specToJson(study as Specification),
  };
}

const textsOf = (spec: Specification): SpecificationTexts => ({
  yaml: specToYaml(spec),
  typescript: specificationCode(spec),
});

/** As the page sends it: plain data, or YAML that somebody has written. */
interface GivenSpecification {
  readonly spec?: unknown;
  readonly yaml?: string;
}

const specificationOf = ({ spec, yaml }: GivenSpecification): Specification =>
  yaml === undefined ? specFromJson(spec) : specFromYaml(yaml);

/** What is wrong with a specification is an answer here, not an error. */
async function checkOf(caller: Caller, given: GivenSpecification): Promise<SpecificationCheck> {
  let texts: SpecificationTexts | undefined;
  try {
    const spec = specificationOf(given);
    texts = textsOf(spec);
    const { predictedCost } = await caller.client.studies.validate(spec);
    return { texts, predictedCost };
  } catch (error) {
    const fault = faultOf(error);
    if (fault.code !== 'INVALID_ARGUMENT' && fault.code !== 'FAILED_PRECONDITION') throw error;
    return { texts, fault };
  }
}

const FRAMEWORKS: readonly string[] = ['pytorch', 'keras', 'tfjs', 'optax'] satisfies Framework[];

/** The schedule as a file: its text, type and ending. */
async function scheduleFile(study: Study, trial: string, format: string): Promise<[string, string, string]> {
  const schedule = await study.schedule({ trial });
  if (format === 'csv') return [schedule.toCsv(), 'text/csv', 'csv'];
  if (format === 'json') return [JSON.stringify(schedule.toJson()), 'application/json', 'json'];
  if (FRAMEWORKS.includes(format)) {
    const code = schedule.toCode(format as Framework);
    return format === 'tfjs' ? [code, 'text/javascript', 'ts'] : [code, 'text/x-python', 'py'];
  }
  return wrong('format', `is none of csv, json, ${FRAMEWORKS.join(', ')}`);
}

export function studyRoutes(): Hono<Known> {
  const get = (caller: Caller, id: string): Promise<Study> => caller.client.studies.get(nameOf(id));
  return new Hono<Known>()
    .get('/', async (c) => c.json(await c.var.caller.index.list(c.req.query('all') === '1')))
    .post('/', async (c) => {
      const study = await c.var.caller.client.studies.create(
        specificationOf(await bodyOf<GivenSpecification>(c)),
        {
          requestId: c.req.header('x-request-id'),
        },
      );
      c.var.caller.index.changed(study);
      return c.json(studyRow(study), 201);
    })
    .post('/check', async (c) => c.json(await checkOf(c.var.caller, await bodyOf<GivenSpecification>(c))))
    .post('/digests', async (c) => {
      const { names } = await bodyOf<{ names: readonly string[] }>(c);
      if (!Array.isArray(names) || names.length > 100) wrong('names', 'is not a list of at most 100 names');
      return c.json(await c.var.caller.index.digests(names));
    })
    .get('/digests', async (c) => c.json(await c.var.caller.index.allDigests()))
    .get('/:id', async (c) => c.json(await detailOf(await get(c.var.caller, c.req.param('id')))))
    .get('/:id/texts', async (c) =>
      c.json(textsOf((await get(c.var.caller, c.req.param('id'))) as Specification)),
    )
    .delete('/:id', async (c) => {
      const name = nameOf(c.req.param('id'));
      const study = await c.var.caller.client.studies.get(name);
      await study.delete({ force: c.req.query('force') === '1' });
      c.var.caller.records.forget(name);
      c.var.caller.studies.forget(name);
      c.var.caller.index.removed(name);
      return c.json({});
    })
    .post('/:id/:action{pause|resume|cancel}', async (c) => {
      const study = await get(c.var.caller, c.req.param('id'));
      const action = c.req.param('action') as 'pause' | 'resume' | 'cancel';
      const { trials } = await bodyOf<{ trials?: readonly { trial: number }[] }>(c);
      await (action === 'resume' ? study.resume(trials === undefined ? {} : { trials }) : study[action]());
      c.var.caller.index.changed(study);
      return c.json(studyRow(study));
    })
    .get('/:id/steps', async (c) => {
      const { study, trial } = await trialAt(c.var.caller, c.req.param('id'), c.req.query('trial'));
      const after = countOf('after', c.req.query('after'), 0);
      const { steps } = await c.var.caller.records.of(study, trial);
      return c.json({ trial, steps: steps.slice(after) } satisfies StepList);
    })
    .get('/:id/steps/:index', async (c) => {
      const { study, trial } = await trialAt(c.var.caller, c.req.param('id'), c.req.query('trial'));
      const step = await study.outerStep(countOf('index', c.req.param('index')), { trial });
      const { components, rows } = windowRows(step);
      const { firstStep = 0, stride = 1 } = step.window ?? {};
      return c.json({
        step: stepRow(step),
        ...{ components, rows },
        rowSteps: rows.map((_, i) => firstStep + i * stride),
        glocal: step.report?.glocal && figures(step.report.glocal.subarray(0, components.length)),
        singularValues: figures(step.report?.spectrum.singularValues ?? []),
        tScores: figures(step.report?.tScores.subarray(0, components.length) ?? []),
      } satisfies StepDetail);
    })
    .get('/:id/components', async (c) => {
      const { study, trial } = await trialAt(c.var.caller, c.req.param('id'), c.req.query('trial'));
      const record = await c.var.caller.records.of(study, trial);
      const { parameter, what, component } = c.req.query();
      if (component !== undefined) {
        const series = record.component(component);
        return series === undefined ? wrong('component', 'is none of this trial') : c.json(series);
      }
      if (parameter !== undefined) return c.json(record.components({ parameter }));
      if (what === 'local' || what === 'glocal' || what === 'used')
        return c.json(record.components({ what }));
      return c.json({ names: record.componentNames });
    })
    .get('/:id/schedule', async (c) => {
      const { study, trial } = await trialAt(c.var.caller, c.req.param('id'), c.req.query('trial'));
      const [text, type, ending] = await scheduleFile(study, trial, c.req.query('format') ?? 'csv');
      c.header('content-type', `${type}; charset=utf-8`);
      c.header('content-disposition', `attachment; filename="schedule-${c.req.param('id')}.${ending}"`);
      return c.body(text);
    })
    .get('/:id/compare', async (c) => {
      const caller = c.var.caller;
      const others = (c.req.query('with') ?? '').split(',').filter((id) => id !== '');
      const study = await get(caller, c.req.param('id'));
      return c.json(await study.compare(await Promise.all(others.map((id) => get(caller, id)))));
    })
    .post('/:id/reanalyze', async (c) => {
      const study = await get(c.var.caller, c.req.param('id'));
      const {
        trial = 0,
        index,
        sigma,
        dmd,
      } = await bodyOf<{
        trial?: number;
        index: number;
        sigma?: number;
        dmd?: DmdOptions;
      }>(c);
      const [found, step] = await Promise.all([
        study.reanalyze(index, { trial, sigma, dmd }),
        study.outerStep(index, { trial }),
      ]);
      const { report } = found;
      return c.json({
        ...{ verdict: report.verdict, verdictReason: report.verdictReason, reason: found.reason },
        names: step.window?.components ?? [],
        local: figures(report.last),
        glocal: report.glocal && figures(report.glocal),
        used: figures(found.hypergradient),
        ...{ sources: found.sources, trusted: report.componentTrusted },
        spectrum: spectrumRow(report.spectrum),
        computeTime: report.computeTime,
      } satisfies WhatIf);
    })
    .post('/:id/drive', async (c) => {
      const { trial: position } = await bodyOf<{ trial?: number }>(c);
      const { study, trial } = await trialAt(c.var.caller, c.req.param('id'), position);
      return c.json(await c.var.caller.driving.take(study.name, trial));
    })
    .delete('/:id/drive', async (c) => {
      const { trial } = await trialAt(c.var.caller, c.req.param('id'), c.req.query('trial'));
      c.var.caller.driving.leave(trial);
      return c.json({});
    })
    .post('/:id/decision', async (c) => {
      const { trial, ...decision } = await bodyOf<DriveDecision & { trial: string }>(c);
      if (!String(trial).startsWith(`${nameOf(c.req.param('id'))}/trials/`))
        wrong('trial', 'is none of this study');
      countOf('index', decision.index?.toString());
      await c.var.caller.driving.decide(trial, decision);
      return c.json({});
    });
}
