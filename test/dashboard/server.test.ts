/** The dashboard's server in front of a real trainer: what its pages ask for. */

import { mkdir, mkdtempDisposable, readFile, writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { join } from 'node:path';
import { type Dashboard, startDashboard } from '@glocal/dashboard';
import { type Study, specToYaml } from '@glocal/sdk';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type {
  ComponentSeries,
  Components,
  DriveState,
  SpecificationCheck,
  StepDetail,
  StepList,
  StudyDetail,
  StudyDigest,
  StudyList,
  StudyRow,
  WhatIf,
} from '../../dashboard/src/api.ts';
import { ensureDashboard } from '../../scripts/steps/dashboard.ts';
import { longStudy, type QuickSpace, quickStudy, training } from '../support/studies.ts';
import { firstMessage, Tab } from '../support/tab.ts';
import { TestTrainer } from '../support/trainer.ts';

const root = join(import.meta.dirname, '../..');
const cleanUp = new AsyncDisposableStack();
let trainer: TestTrainer;
let dashboard: Dashboard;
let tab: Tab;

beforeAll(async () => {
  await ensureDashboard();
  trainer = cleanUp.use(await TestTrainer.start());
  dashboard = cleanUp.use(
    await startDashboard({ client: { address: trainer.address }, listen: '127.0.0.1:0' }),
  );
  tab = new Tab(dashboard.url);
}, 300_000);
afterAll(() => cleanUp.disposeAsync());

const idOf = ({ name }: { readonly name: string }): string => name.replace('studies/', '');

/** A study that has ended, of two trials; made when the first test wants it. */
let made: Promise<Study<QuickSpace>> | undefined;
function finished(): Promise<Study<QuickSpace>> {
  const make = async (): Promise<Study<QuickSpace>> => {
    const study = await trainer.client.studies.create(quickStudy({ seeds: [1, 2] }));
    await study.result({ schedules: false });
    return study;
  };
  made ??= make();
  return made;
}

describe('the page', () => {
  it('comes with a policy that lets nothing in from elsewhere, on every path that it has', async () => {
    for (const path of ['/', '/studies/01x', '/compare?studies=a']) {
      const response = await tab.request(path);
      expect(response.status).toBe(200);
      expect(await response.text()).toContain('<div id="page">');
      const policy = response.headers.get('content-security-policy') ?? '';
      expect(policy).toContain("default-src 'none'");
      expect(policy).not.toMatch(/unsafe|https?:|\*/);
    }
  });

  it('has files that are kept for good, and none that it does not have', async () => {
    const page = await (await tab.request('/')).text();
    const [, script = ''] = /src="(\/assets\/[^"]+\.js)"/.exec(page) ?? [];
    const file = await tab.request(script);
    expect(file.headers.get('content-type')).toContain('javascript');
    expect(file.headers.get('cache-control')).toContain('immutable');
    expect((await tab.request('/assets/older.js')).status).toBe(404);
    // What has no such name is the page itself, which is not for good.
    expect((await tab.request('/assets/older')).headers.get('cache-control')).toBe('no-cache');
  });
});

describe('requests', () => {
  it('are heard under names of this machine only', async () => {
    const answer = await new Promise<number | undefined>((resolve, reject) => {
      get(dashboard.url, { headers: { host: 'evil.test' } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      }).on('error', reject);
    });
    expect(answer).toBe(403);
  });

  it.each([
    ['another page', { origin: 'http://evil.test' }],
    ['another site, as browsers say', { 'sec-fetch-site': 'cross-site' }],
    ['a form', { 'content-type': 'text/plain' }],
  ])('that change something are refused from %s', async (_, headers) => {
    const response = await tab.request('/api/studies', { method: 'POST', body: {}, headers });
    expect(response.status).toBe(403);
  });

  it('that make no sense are answered with what is wrong', async () => {
    const nothing = await tab.request('/api/studies/nothing');
    expect(nothing.status).toBe(404);
    expect(await nothing.json()).toMatchObject({ error: { code: 'NOT_FOUND' } });
    expect((await tab.request('/api/nothing')).status).toBe(404);
    const step = await tab.request(`/api/studies/${idOf(await finished())}/steps/x`);
    expect(await step.json()).toMatchObject({ error: { fieldViolations: [{ field: 'index' }] } });
  });

  it('that are JSON and no object are refused, and are no fault of the dashboard', async () => {
    const id = idOf(await finished());
    const ofStudy = ['resume', 'reanalyze', 'drive', 'decision'].map((what) => `/api/studies/${id}/${what}`);
    for (const path of [
      '/api/session',
      '/api/studies',
      '/api/studies/check',
      '/api/studies/digests',
      ...ofStudy,
    ]) {
      const response = await tab.request(path, { method: 'POST', body: null });
      expect([path, response.status]).toEqual([path, 400]);
      expect(await response.json()).toMatchObject({ error: { message: 'the request is no object' } });
    }
    const decision = { trial: `studies/${id}/trials/0` };
    const unnamed = await tab.request(`/api/studies/${id}/decision`, { method: 'POST', body: decision });
    expect(await unnamed.json()).toMatchObject({ error: { fieldViolations: [{ field: 'index' }] } });
  });
});

describe('studies', () => {
  it('are listed with what they found', async () => {
    const study = await finished();
    const { rows, complete } = await tab.json<StudyList>('/api/studies?all=1');
    expect(complete).toBe(true);
    expect(rows.find(({ name }) => name === study.name)).toMatchObject({
      state: 'COMPLETED',
      estimator: 'glocal',
      problem: 'fashion-mnist-10k · mlp · sgd',
    });
    const [digest] = await tab.json<StudyDigest[]>('/api/studies/digests', {
      method: 'POST',
      body: { names: [study.name] },
    });
    const { best } = await study.result({ schedules: false });
    expect(digest).toMatchObject({
      loss: best?.averagedValidation?.loss,
      progress: 1,
      trials: 2,
      spark: expect.arrayContaining([best?.averagedValidation?.loss]),
    });
    expect(digest?.spark).toHaveLength(3);
    const all = await tab.json<StudyDigest[]>('/api/studies/digests');
    expect(all).toHaveLength(rows.length);
    expect(all.find(({ name }) => name === study.name)).toEqual(digest);
  });

  it('come with their trials and outer steps', async () => {
    const study = await finished();
    const detail = await tab.json<StudyDetail>(`/api/studies/${idOf(study)}`);
    expect(detail.trials.map(({ seed }) => seed)).toEqual([1, 2]);
    expect(detail.parameters).toContainEqual({
      name: 'lr',
      kind: 'float',
      scale: 'log',
      min: 1e-3,
      max: 1,
    });
    const { steps } = await tab.json<StepList>(`/api/studies/${idOf(study)}/steps?trial=1`);
    const stored = await Array.fromAsync(study.outerSteps({ trial: 1 }));
    expect(steps.map(({ averagedLoss }) => averagedLoss)).toEqual(
      stored.map(({ averagedValidation }) => averagedValidation.loss),
    );
    expect(steps.map(({ hypergradients }) => hypergradients?.glocal)).toEqual(
      stored.map(({ report }) => Array.from(report?.glocal ?? [])),
    );
    const later = await tab.json<StepList>(`/api/studies/${idOf(study)}/steps?trial=1&after=2`);
    expect(later.steps).toEqual(steps.slice(2));
  });

  it('have windows with rows, which other options can be tried on', async () => {
    const study = await finished();
    const step = await tab.json<StepDetail>(`/api/studies/${idOf(study)}/steps/2`);
    expect(step.components).toEqual(['lr', 'momentum']);
    expect(step.rows).toHaveLength(10);
    const body = { index: 2, sigma: 8, dmd: { delays: 2 } };
    const other = await tab.json<WhatIf>(`/api/studies/${idOf(study)}/reanalyze`, { method: 'POST', body });
    const same = await study.reanalyze(2, { sigma: 8, dmd: { delays: 2 } });
    expect(other).toMatchObject({ verdict: same.report.verdict, used: [...same.hypergradient] });
    const wrong = { index: 2, dmd: { delays: 99 } };
    const refused = await tab.request(`/api/studies/${idOf(study)}/reanalyze`, {
      method: 'POST',
      body: wrong,
    });
    expect(refused.status).toBe(400);
  });

  it('give their schedule as a file', async () => {
    const study = await finished();
    const csv = await tab.request(`/api/studies/${idOf(study)}/schedule?format=csv`);
    expect(csv.headers.get('content-disposition')).toContain('attachment');
    expect(await csv.text()).toBe((await study.schedule()).toCsv());
    const code = await tab.request(`/api/studies/${idOf(study)}/schedule?format=pytorch`);
    expect(code.status).toBe(200);
    expect((await tab.request(`/api/studies/${idOf(study)}/schedule?format=doc`)).status).toBe(400);
  });

  it('are checked before they are made, with every fault and its field', async () => {
    const yaml = specToYaml(quickStudy());
    const good = await tab.json<SpecificationCheck>('/api/studies/check', { method: 'POST', body: { yaml } });
    expect(good.fault).toBeUndefined();
    expect(good.predictedCost).toBeGreaterThan(1);
    expect(good.texts?.typescript).toContain("lr: float({ min: 0.001, max: 1, init: 0.02, scale: 'log' })");
    const bad = await tab.json<SpecificationCheck>('/api/studies/check', {
      method: 'POST',
      body: { yaml: yaml.replace('init: 0.02', 'init: 2').replace('sigma: 10', 'sigma: 2') },
    });
    const fields = bad.fault?.fieldViolations.map(({ field }) => field);
    expect(fields).toEqual(expect.arrayContaining(['space.lr.init']));
  });

  it('are made once for one request, steered, and deleted', async () => {
    const create = () =>
      tab.json<StudyRow>('/api/studies', {
        method: 'POST',
        body: { yaml: specToYaml(longStudy()) },
        headers: { 'x-request-id': 'the-same' },
      });
    const study = await create();
    expect(await create()).toMatchObject({ name: study.name });
    const act = (action: string) =>
      tab.json<StudyRow>(`/api/studies/${idOf(study)}/${action}`, { method: 'POST', body: {} });
    expect(await act('pause')).toMatchObject({ state: 'PAUSED' });
    expect(await act('resume')).toMatchObject({ state: 'ACTIVE' });
    expect(await act('cancel')).toMatchObject({ state: 'CANCELLED' });
    await tab.json(`/api/studies/${idOf(study)}`, { method: 'DELETE' });
    expect((await tab.request(`/api/studies/${idOf(study)}`)).status).toBe(404);
  });

  it('are compared as the SDK does', async () => {
    const first = await finished();
    const second = await trainer.client.studies.create(quickStudy({ estimator: 'fixed' }));
    await second.result({ schedules: false });
    const found = await tab.json(`/api/studies/${idOf(first)}/compare?with=${idOf(second)}`);
    expect(found).toMatchObject(JSON.parse(JSON.stringify(await first.compare(second))));
  });

  it('have vectors as one table', async () => {
    const { space, vector, fixed } = await import('@glocal/sdk');
    const study = await trainer.client.studies.create({
      ...quickStudy({ outerSteps: 2 }),
      space: space({
        lr: vector({ per: 'layer', min: 1e-4, max: 1, init: 0.02, scale: 'log' }),
        momentum: fixed(0.1),
      }),
    });
    await study.result({ schedules: false });
    const components = await tab.json<Components>(`/api/studies/${idOf(study)}/components?parameter=lr`);
    const [, last] = await Array.fromAsync(study.outerSteps());
    expect(components.steps).toEqual([20, 40]);
    expect(components.names).toEqual(last?.window?.components);
    (components.values[1] ?? []).forEach((value, i) => {
      expect(value).toBeCloseTo(last?.values.lr[i] ?? Number.NaN, 4);
    });
    expect((await tab.request(`/api/studies/${idOf(study)}/components?component=none`)).status).toBe(400);
    const one = await tab.json<Partial<ComponentSeries>>(
      `/api/studies/${idOf(study)}/components?component=${components.names[0]}`,
    );
    expect(one.name).toBe(components.names[0]);
  });
});

describe('the stream of a tab', () => {
  it('tells of studies that are new and of what they find', async () => {
    const messages = tab.messages('studies=1');
    await firstMessage(peeking(messages), 'trainer', ({ connected }) => connected);
    const study = await trainer.client.studies.create(quickStudy());
    await firstMessage(peeking(messages), 'studies', ({ changed }) =>
      changed.some(({ name }) => name === study.name),
    );
    const { digests } = await firstMessage(peeking(messages), 'studies', ({ digests }) =>
      digests.some(({ name, progress }) => name === study.name && progress === 1),
    );
    expect(digests.find(({ name }) => name === study.name)?.loss).toBeGreaterThan(0);
    await messages.return();
  });

  it('tells each outer step once, and goes on after the cursor that the tab has seen', async () => {
    const study = await trainer.client.studies.create(quickStudy({ outerSteps: 9 }));
    const seen: number[] = [];
    let id = '';
    for await (const message of tab.messages(`study=${study.name}`)) {
      if (message.id !== '') id = message.id;
      if (message.type === 'step') seen.push(message.step.index);
      if (seen.length >= 3) break;
    }
    // What came before the first is asked for, as after a snapshot.
    const first = seen[0] ?? 0;
    await study.result({ schedules: false });
    for await (const message of tab.messages(`study=${study.name}`, { 'last-event-id': id })) {
      if (message.type === 'step') seen.push(message.step.index);
      if (message.type === 'snapshot' && message.study.state === 'COMPLETED') break;
    }
    expect(seen).toEqual(Array.from({ length: 9 - first + 1 }, (_, i) => first + i));
  });

  it('is as full after the dashboard was started again', async () => {
    const study = await trainer.client.studies.create(quickStudy({ outerSteps: 8 }));
    const before = await startDashboard({ client: { address: trainer.address }, listen: '127.0.0.1:0' });
    const seen: number[] = [];
    let cursor = '';
    for await (const message of new Tab(before.url).messages(`study=${study.name}`)) {
      cursor = new URLSearchParams(message.id).get(study.name) ?? cursor;
      if (message.type === 'step') seen.push(message.step.index);
      if (seen.length >= 2) break;
    }
    await before.close();
    await using after = await startDashboard({
      client: { address: trainer.address },
      listen: '127.0.0.1:0',
    });
    const first = seen[0] ?? 0;
    for await (const message of new Tab(after.url).messages(`study=${study.name}@${cursor}`)) {
      if (message.type === 'step') seen.push(message.step.index);
      if (message.type === 'snapshot' && message.study.state === 'COMPLETED') break;
    }
    expect(seen).toEqual(Array.from({ length: 8 - first + 1 }, (_, i) => first + i));
  });

  it('says that a study is gone', async () => {
    const study = await trainer.client.studies.create(longStudy());
    await training(study);
    const messages = tab.messages(`study=${study.name}`);
    await firstMessage(peeking(messages), 'snapshot');
    await study.delete({ force: true });
    const gone = await firstMessage(peeking(messages), 'gone');
    expect(gone.study).toBe(study.name);
    await messages.return();
  });
});

describe('a driven trial', () => {
  it('is taken over, decided about by hand, and left', async () => {
    const study = await trainer.client.studies.create({
      ...quickStudy(),
      mode: 'driven',
    });
    const messages = tab.messages(`study=${study.name}`);
    const path = `/api/studies/${idOf(study)}`;
    await tab.json<DriveState>(`${path}/drive`, { method: 'POST', body: { trial: 0 } });
    const proposed = async (index: number) =>
      (await firstMessage(peeking(messages), 'drive', ({ drive }) => drive.proposal?.index === index)).drive;
    const { trial } = await proposed(1);
    const early = await tab.request(`${path}/decision`, {
      method: 'POST',
      body: { trial, index: 7, action: 'accept' },
    });
    expect(early.status).toBe(400);
    await tab.json(`${path}/decision`, {
      method: 'POST',
      body: { trial, index: 1, action: 'set', values: { lr: 0.05 } },
    });
    await proposed(2);
    await tab.json(`${path}/decision`, { method: 'POST', body: { trial, index: 2, action: 'accept' } });
    await proposed(3);
    await tab.json(`${path}/decision`, { method: 'POST', body: { trial, index: 3, action: 'stop' } });
    await firstMessage(peeking(messages), 'drive', ({ drive }) => drive.state === 'ended');
    await messages.return();
    const steps = await Array.fromAsync(study.outerSteps());
    expect(steps.map(({ update }) => update?.decision?.action)).toEqual(['set', 'accept', 'stop']);
    expect(steps[1]?.values.lr).toBeCloseTo(0.05, 6);
  });

  it('cannot be one that decides by itself', async () => {
    const study = await finished();
    const refused = await tab.request(`/api/studies/${idOf(study)}/drive`, { method: 'POST', body: {} });
    expect(await refused.json()).toMatchObject({ error: { reason: 'NOT_DRIVEN' } });
  });
});

it('is started by the program of its README', async () => {
  const [, program = ''] =
    /```ts\n([\s\S]*?)```/.exec(await readFile(join(root, 'dashboard/README.md'), 'utf8')) ?? [];
  await mkdir(join(root, '.glocal/test'), { recursive: true });
  await using folder = await mkdtempDisposable(join(root, '.glocal/test/readme-'));
  const file = join(folder.path, 'program.mts');
  await writeFile(file, program.replace('localhost:50061', trainer.address));
  const { stdout } = await execa(process.execPath, [file]);
  expect(stdout).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
});

/** Reads on from a stream without ending it. */
async function* peeking<T>(stream: AsyncGenerator<T, void, undefined>): AsyncGenerator<T, void, undefined> {
  for (;;) {
    const { value, done } = await stream.next();
    if (done) return;
    yield value;
  }
}
