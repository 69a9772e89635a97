/** Names, pages and limits of the API. */

import { StudyState } from '@glocal/proto/glocal/v1/study';
import { StudyServiceService as Api, type ListStudiesRequest } from '@glocal/proto/glocal/v1/study_service';
import { GlocalClient, type GlocalError, type Study } from '@glocal/sdk';
import { type ServiceError, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Channel } from '../support/grpc.ts';
import { rejection } from '../support/rejection.ts';
import { longStudy, type QuickSpace, quickStudy, training } from '../support/studies.ts';
import { TestTrainer } from '../support/trainer.ts';

const base64url = (text: string): string => Buffer.from(text).toString('base64url');

describe('with some studies, the API', () => {
  let trainer: TestTrainer;
  let channel: Channel;
  /** Newest first. */
  let studies: Study<QuickSpace>[];
  /** Has ended, with five trials and four outer steps in the first. */
  let trained: Study<QuickSpace>;

  beforeAll(async () => {
    trainer = await TestTrainer.start();
    channel = new Channel(trainer.address);
    trained = await trainer.client.studies.create(
      quickStudy({ estimator: 'local', outerSteps: 4, seeds: [0, 1, 2, 3, 4] }),
    );
    studies = [trained];
    for (let i = 0; i < 4; i++) {
      const waiting = await trainer.client.studies.create(longStudy({ seeds: [i] }));
      studies.unshift(waiting);
    }
    for await (const event of trained.watch()) {
      if (event.type === 'trial' && event.state === 'SUCCEEDED') break;
    }
    await trained.cancel();
  });
  afterAll(async () => {
    channel[Symbol.dispose]();
    await trainer[Symbol.asyncDispose]();
  });

  const names = (items: readonly { readonly name: string }[]) => items.map(({ name }) => name);

  it.each([1, 2, 5, 1_000])('lists studies newest first, in pages of %i', async (pageSize) => {
    expect(names(await Array.fromAsync(trainer.client.studies.list({ pageSize })))).toEqual(names(studies));
  });

  it.each([1, 2, 5])('lists trials in the order of the seeds, in pages of %i', async (pageSize) => {
    const trials = await Array.fromAsync(trained.trials({ pageSize }));
    expect(trials.map(({ seed }) => seed)).toEqual([0, 1, 2, 3, 4]);
  });

  it.each([1, 3, 100])('lists trials of all studies, without values, in pages of %i', async (pageSize) => {
    const trials = await Array.fromAsync(trainer.client.studies.trials({ pageSize }));
    const expected = await Promise.all(studies.map((study) => Array.fromAsync(study.trials())));
    expect(names(trials)).toEqual(names(expected.flat()));
    const oldest = await trained.trial({ trial: 0 });
    expect(trials.find(({ name }) => name === oldest.name)).toEqual({
      ...oldest,
      values: undefined,
      checkpoints: [],
      checkpointBytes: 0,
    });
  });

  it.each([1, 2, 4])('lists outer steps oldest first, in pages of %i', async (pageSize) => {
    const outerSteps = await Array.fromAsync(trained.outerSteps({ pageSize }));
    expect(outerSteps.map(({ index }) => index)).toEqual([1, 2, 3, 4]);
  });

  it('ends a list with an empty token, also when the last page is full', async () => {
    const first = await channel.unary(Api.listStudies, {
      pageSize: 3,
      pageToken: '',
      states: [],
      labels: {},
    });
    expect(names(first.studies)).toEqual(names(studies.slice(0, 3)));
    const { nextPageToken } = first;
    expect(nextPageToken).not.toBe('');
    const second = await channel.unary(Api.listStudies, {
      pageSize: 2,
      pageToken: nextPageToken,
      states: [],
      labels: {},
    });
    expect(names(second.studies)).toEqual(names(studies.slice(3)));
    expect(second.nextPageToken).toBe('');
  });

  it('keeps a label with any key of its characters, and finds studies by it', async () => {
    const labels: Record<string, string> = JSON.parse('{ "__proto__": "x", "constructor": "y" }');
    const { studies: api } = trainer.client;
    expect(await Array.fromAsync(api.list({ labels }))).toEqual([]);
    const study = await api.create({ ...longStudy({ seeds: [9] }), labels });
    await study.cancel();
    expect(Object.entries((await api.get(study.name)).labels).sort()).toEqual(Object.entries(labels).sort());
    expect(names(await Array.fromAsync(api.list({ labels })))).toEqual([study.name]);
    await study.delete();
  });

  const parent = () => ({ studies: trained.name, trials: `${trained.name}/trials/0` });
  const lists: [what: string, list: (pageSize: number, pageToken: string) => Promise<unknown>][] = [
    [
      'studies',
      (pageSize, pageToken) =>
        channel.unary(Api.listStudies, { pageSize, pageToken, states: [], labels: {} }),
    ],
    [
      'trials',
      (pageSize, pageToken) =>
        channel.unary(Api.listTrials, { parent: parent().studies, pageSize, pageToken }),
    ],
    [
      'outer steps',
      (pageSize, pageToken) =>
        channel.unary(Api.listOuterSteps, {
          parent: parent().trials,
          pageSize,
          pageToken,
          includeWindows: false,
        }),
    ],
  ];

  it.each(lists)('refuses a negative page size for %s', async (_what, list) => {
    const error = await rejection<ServiceError>(list(-1, ''));
    expect(error).toMatchObject({ code: status.INVALID_ARGUMENT, details: 'page_size: -1 is negative' });
  });

  it.each(lists)('refuses a page token that it has not given out, for %s', async (_what, list) => {
    for (const token of ['nonsense', '!', base64url('studies/none'), base64url('-1'), 'x'.repeat(300)]) {
      const error = await rejection<ServiceError>(list(2, token));
      expect(error, token).toMatchObject({
        code: status.INVALID_ARGUMENT,
        details: 'page_token: was not given out for this list',
      });
    }
  });

  it('goes on with a page token only where the list is the same: not with other filters or another parent', async () => {
    const listStudies = (pageToken: string, change: Partial<ListStudiesRequest> = {}) =>
      channel.unary(Api.listStudies, { pageSize: 1, pageToken, states: [], labels: {}, ...change });
    const listTrials = (parent: string, pageToken: string) =>
      channel.unary(Api.listTrials, { parent, pageSize: 1, pageToken });
    const ofStudies = (await listStudies('')).nextPageToken;
    const ofTrials = (await listTrials(trained.name, '')).nextPageToken;
    await listStudies(ofStudies);
    await listTrials(trained.name, ofTrials);
    for (const wrong of [
      listStudies(ofStudies, { states: [StudyState.ACTIVE] }),
      listStudies(ofStudies, { labels: { team: '' } }),
      listStudies(ofTrials),
      listTrials(studies[0]?.name ?? '', ofTrials),
    ]) {
      expect(await rejection<ServiceError>(wrong)).toMatchObject({
        code: status.INVALID_ARGUMENT,
        details: 'page_token: was not given out for this list',
      });
    }
  });

  const missing: [what: string, call: (client: GlocalClient) => Promise<unknown>, name: string][] = [
    ['study', ({ studies }) => studies.get('studies/none'), 'studies/none'],
    ['trial', () => trained.trial({ trial: `${trained.name}/trials/9` }), '/trials/9'],
    ['outer step', () => trained.outerStep(99), '/trials/0/outerSteps/99'],
    ['schedule', () => trained.schedule({ trial: `${trained.name}/trials/9` }), '/trials/9'],
    ['list', () => Array.fromAsync(trained.outerSteps({ trial: `${trained.name}/trials/9` })), '/trials/9'],
  ];

  it.each(missing)(
    'answers NOT_FOUND and the name for a %s that does not exist',
    async (_what, call, name) => {
      expect(await rejection(call(trainer.client))).toMatchObject({
        code: 'NOT_FOUND',
        reason: 'NOT_FOUND',
        message: expect.stringMatching(new RegExp(`${name} does not exist$`)),
      });
    },
  );

  it.each([
    ['CancelStudy', () => channel.unary(Api.cancelStudy, { name: 'studies/none' })],
    [
      'WatchStudy',
      () => channel.serverStream(Api.watchStudy, { name: 'studies/none', cursor: '', maxLag: 0 }),
    ],
    [
      'ListTrials',
      () => channel.unary(Api.listTrials, { parent: 'studies/none', pageSize: 0, pageToken: '' }),
    ],
  ])('answers NOT_FOUND to %s of a study that does not exist', async (_method, call) => {
    const error = await rejection<ServiceError>(call());
    expect(error).toMatchObject({ code: status.NOT_FOUND, details: 'studies/none does not exist' });
  });

  it.each(['', 'none', 'studies/', 'studies/a/trials/0', 'studies/../x', `studies/${'x'.repeat(65)}`])(
    'refuses "%s" as the name of a study, and says the form',
    async (name) => {
      expect(await rejection(trainer.client.studies.get(name))).toMatchObject({
        code: 'INVALID_ARGUMENT',
        reason: 'RESOURCE_NAME',
        fieldViolations: [{ field: 'name', description: `"${name}" is not of the form studies/{study}` }],
      });
    },
  );

  it.each(['yesterday', '1000000'])('refuses a cursor that is none: %s', async (cursor) => {
    expect(await rejection(Array.fromAsync(trained.watch({ cursor })))).toMatchObject({
      code: 'INVALID_ARGUMENT',
      fieldViolations: [{ field: 'cursor' }],
    });
  });
});

describe('a server with limits', () => {
  let trainer: TestTrainer;
  let studies: Study<QuickSpace>[];

  beforeAll(async () => {
    trainer = await TestTrainer.start({
      args: ['--max-active-studies', '2', '--max-watchers', '2', '--max-studies', '3'],
    });
    studies = [];
    for (const seeds of [[0], [1]]) {
      studies.push(await trainer.client.studies.create(longStudy({ seeds }), { requestId: `seed ${seeds}` }));
    }
  });
  afterAll(() => trainer[Symbol.asyncDispose]());

  it('states them', async () => {
    const { limits } = await trainer.client.serverInfo();
    expect(limits).toMatchObject({
      maxSteps: 10_000_000,
      maxTrials: 1_000,
      maxActiveStudies: 2,
      maxOwnerActiveStudies: 2,
      maxWatchers: 2,
      maxStudies: 3,
      maxWatchBytes: 268_435_456,
      maxMessageBytes: 4_194_304,
      maxRunningTrials: 1,
      maxWindowRows: 512,
      maxComponents: 10_000_000,
    });
  });

  it('refuses one more watcher with the time after which to come again, and takes one when one has gone', async () => {
    const [study] = studies;
    if (study === undefined) throw new Error('no study');
    const leave = new AbortController();
    const watches = [study, study].map((watched) => watched.watch({ signal: leave.signal }));
    await Promise.all(watches.map((watch) => watch.next()));

    expect(await rejection(study.watch().next())).toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
      reason: 'WATCHERS',
      retryDelay: 5_000,
      message: '2 watchers are connected, as many as this server allows',
    });

    leave.abort();
    await expect
      .poll(
        async () => {
          const watch = study.watch();
          try {
            return (await watch.next()).value?.type;
          } catch (error) {
            return (error as GlocalError).reason;
          } finally {
            await watch.return();
          }
        },
        { timeout: 20_000 },
      )
      .toBe('study');
  });

  it('refuses one more active study with the time after which to come again', async () => {
    expect(await rejection(trainer.client.studies.create(quickStudy()))).toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
      reason: 'ACTIVE_STUDIES',
      retryDelay: 30_000,
      message: '2 studies are active, as many as this server allows; wait or cancel one',
    });
    const listed = await Array.fromAsync(trainer.client.studies.list());
    expect(listed).toHaveLength(2);
  });

  it('still answers to a repeated request for one of them', async () => {
    const again = await trainer.client.studies.create(longStudy({ seeds: [1] }), { requestId: 'seed 1' });
    expect(again.name).toBe(studies[1]?.name);
  });

  it('takes the next study when one of them has ended', async () => {
    const [first, second] = studies;
    if (first === undefined || second === undefined) throw new Error('no studies');
    await training(first);
    await second.cancel();
    const next = await trainer.client.studies.create(quickStudy());
    expect(next.state).toBe('ACTIVE');
    await next.cancel();
  });

  it('refuses one study more than may be kept, until one is deleted', async () => {
    const { studies: api } = trainer.client;
    expect(await rejection(api.create(quickStudy()))).toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
      reason: 'STUDIES',
      message: '3 studies are kept, as many as this server allows; delete one that has ended',
    });
    await studies[1]?.delete();
    await (await api.create(quickStudy())).cancel();
  });

  it('refuses a request that is larger than a message may be', async () => {
    const study = quickStudy();
    // What the client has no rule for.
    const problem = { ...study.problem, dataset: 'x'.repeat(5_000_000) };
    const error = await rejection(trainer.client.studies.create({ ...study, problem }));
    expect(error.code).toBe('RESOURCE_EXHAUSTED');
    await using other = new GlocalClient({ address: trainer.address });
    expect((await other.serverInfo()).limits.maxWatchers).toBe(2);
  });
});
