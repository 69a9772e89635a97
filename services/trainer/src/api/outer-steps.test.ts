import { OuterStep, Study, StudyState, Trial, TrialState } from '@glocal/proto/glocal/v1/study';
import { Limits, OuterStepPart } from '@glocal/proto/glocal/v1/study_service';
import { status } from '@grpc/grpc-js';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EventHub } from '../events/hub.ts';
import { MAX_MESSAGE_BYTES } from '../resource/message-size.ts';
import { SqliteStore } from '../store/sqlite/store.ts';
import type { Call } from './call.ts';
import { type StudyServiceParts, studyService } from './study-service.ts';

const TRIAL = 'studies/a/trials/0';
const MEGABYTE = 1024 * 1024;
// These methods use neither queue nor catalogue nor artifacts, and nothing of their call.
const call = {} as Call;

let store: SqliteStore;
let api: ReturnType<typeof studyService>;

beforeEach(async () => {
  store = SqliteStore.inMemory();
  const info = { limits: Limits.create({ maxWatchBytes: 1e6, maxWatchers: 1 }) };
  const log = pino({ level: 'silent' });
  api = studyService({
    ...{ store, hub: new EventHub(), log, info },
    artifacts: {},
  } as unknown as StudyServiceParts);
  await store.createStudy({
    study: Study.fromPartial({ name: 'studies/a', state: StudyState.ACTIVE }),
    trials: [Trial.fromPartial({ name: TRIAL, state: TrialState.PENDING })],
    requestId: '',
    fingerprint: Buffer.of(1),
    maxActiveStudies: 1,
  });
  const { claim } = await store.startTrial(TRIAL);
  for (const [i, outerStep] of [
    withRows(1),
    withRows(1),
    withRows(6),
    withVectors(6),
    withRows(1),
  ].entries()) {
    await store.addOuterStep(claim, { ...outerStep, index: i + 1, name: `${TRIAL}/outerSteps/${i + 1}` });
  }
});
afterEach(() => store.close());

const withRows = (megabytes: number) =>
  OuterStep.fromPartial({ window: { rows: 1, hypergradients: Buffer.alloc(megabytes * MEGABYTE, 7) } });

const withVectors = (megabytes: number) => {
  const values = Array<number>((megabytes * MEGABYTE) / 8).fill(0.5);
  return OuterStep.fromPartial({
    values: [{ name: 'classWeights', value: 0.5, values }],
    window: { components: ['classWeights/0'], hypergradients: Buffer.alloc(MEGABYTE, 7) },
  });
};

/** All pages of the trial's outer steps, each as it would be sent. */
async function pages(includeWindows: boolean): Promise<OuterStep[][]> {
  const all: OuterStep[][] = [];
  let pageToken = '';
  do {
    const page = await api.listOuterSteps({ parent: TRIAL, pageSize: 0, pageToken, includeWindows }, call);
    if (!('outerSteps' in page)) expect.unreachable();
    all.push(page.outerSteps);
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  return all;
}

const bytesOf = (outerSteps: readonly OuterStep[]) =>
  outerSteps.reduce((sum, outerStep) => sum + OuterStep.encode(outerStep).finish().length + 8, 0);

describe.each([true, false])('outer steps of any size, in lists with windows: %s', (includeWindows) => {
  it('come in pages that are messages, each of them once', async () => {
    const all = await pages(includeWindows);
    expect(all.flat().map(({ index }) => index)).toEqual([1, 2, 3, 4, 5]);
    for (const page of all) expect(bytesOf(page)).toBeLessThan(MAX_MESSAGE_BYTES);
  });

  it('come without what does not fit a message', async () => {
    const steps = (await pages(includeWindows)).flat();
    const rows = steps.map(({ window }) => (window?.hypergradients.length ?? 0) / MEGABYTE);
    expect(rows).toEqual(includeWindows ? [1, 1, 0, 0, 1] : [0, 0, 0, 0, 0]);
    expect(steps[3]?.values).toEqual([{ name: 'classWeights', value: 0.5, values: [] }]);
  });
});

describe('an outer step that does not fit a message', () => {
  it.each([3, 4])('is streamed in parts that do: %i', async (index) => {
    const name = `${TRIAL}/outerSteps/${index}`;
    const parts = (await Array.fromAsync(api.readOuterStep({ name }, call))) as OuterStepPart[];
    for (const part of parts) {
      expect(OuterStepPart.encode(part).finish().length).toBeLessThan(MAX_MESSAGE_BYTES);
    }
    const bytes = (kind: 'encodedOuterStep' | 'hypergradients') =>
      Buffer.concat(parts.flatMap(({ part }) => (part?.$case === kind ? [part.value] : [])));
    const first = parts[0]?.part;
    const read = first?.$case === 'outerStep' ? first.value : OuterStep.decode(bytes('encodedOuterStep'));
    if (read.window !== undefined) read.window.hypergradients = bytes('hypergradients');
    expect(read).toEqual(await store.getOuterStep(name));
  });

  it('is refused by GetOuterStep, which says how to read it', async () => {
    await expect(api.getOuterStep({ name: `${TRIAL}/outerSteps/3` }, call)).rejects.toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      reason: 'MESSAGE_SIZE',
      message: expect.stringMatching(/and a message may have 4194304; ReadOuterStep streams it$/),
    });
  });
});
