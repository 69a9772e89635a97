import { Study } from '@glocal/proto/glocal/v1/study';
import { type Caller, Role, StudyServiceService } from '@glocal/proto/glocal/v1/study_service';
import { status } from '@grpc/grpc-js';
import { beforeEach, describe, expect, it } from 'vitest';
import { ANYBODY } from '../resource/caller.ts';
import { NotFoundError } from '../resource/errors.ts';
import type { AuditRecord } from '../security/audit.ts';
import type { Call } from './call.ts';
import { ApiError } from './errors.ts';
import { guarded } from './guard.ts';
import type { Methods } from './handlers.ts';

const { createStudy, getStudy, cancelStudy, watchStudy, driveTrial } = StudyServiceService;
const SERVICE = { createStudy, getStudy, cancelStudy, watchStudy, driveTrial };
const NAME = 'studies/a';
const START = {
  request: { $case: 'start', value: { trial: `${NAME}/trials/0`, includeWindows: false } },
} as const;
const study = Study.fromPartial({ name: NAME, owner: 'ada' });

let reached: string[];
let records: AuditRecord[];
let failure: Error | undefined;
beforeEach(() => {
  reached = [];
  records = [];
  failure = undefined;
});

function reach(name: string): Study {
  reached.push(name);
  if (failure !== undefined) throw failure;
  return study;
}
const methods: Methods<typeof SERVICE> = {
  createStudy: async () => reach('createStudy'),
  getStudy: async () => reach('getStudy'),
  cancelStudy: async () => reach('cancelStudy'),
  watchStudy: async function* () {
    reach('watchStudy');
    yield* [];
  },
  driveTrial: async function* (requests) {
    for await (const _ of requests) {
      reach('driveTrial');
      yield { response: undefined };
    }
  },
};
const guards = guarded(SERVICE, methods, {
  ownerOf: async (name) => (name.startsWith(NAME) ? 'ada' : undefined),
  audit: { write: (record) => void records.push(record), [Symbol.dispose]: () => {} },
});

const ADA = { owner: 'ada', role: Role.WRITE };
const BOB = { owner: 'bob', role: Role.WRITE };
const call = (method: { readonly path: string }, caller: Readonly<Caller>): Call =>
  ({ method: method.path, requestId: 'r', peer: 'p', caller }) as Call;
const drive = (caller: Readonly<Caller>) =>
  guards.driveTrial(
    (async function* () {
      yield START;
      yield START;
    })(),
    call(driveTrial, caller),
  );
const recorded = () => records.map(({ owner, resource, code }) => ({ owner, resource, code }));

describe('a method', () => {
  it('is reached by the owner of what its request names, by admins, and for what there is not', async () => {
    await guards.getStudy({ name: NAME }, call(getStudy, ADA));
    await guards.getStudy({ name: NAME }, call(getStudy, ANYBODY));
    await guards.getStudy({ name: 'studies/none' }, call(getStudy, BOB));
    await Array.fromAsync(drive(ADA));
    expect(reached).toEqual(['getStudy', 'getStudy', 'getStudy', 'driveTrial', 'driveTrial']);
  });

  it('is not reached by others, of whatever kind it is', async () => {
    const watch = { name: NAME, cursor: '', maxLag: 0 };
    await expect(guards.getStudy({ name: NAME }, call(getStudy, BOB))).rejects.toThrow(NotFoundError);
    const watched = Array.fromAsync(guards.watchStudy(watch, call(watchStudy, BOB)));
    await expect(watched).rejects.toThrow(NotFoundError);
    await expect(Array.fromAsync(drive(BOB))).rejects.toThrow(NotFoundError);
    expect(reached).toEqual([]);
  });
});

describe('records', () => {
  it('are of changes, by what they are about and what came of them', async () => {
    await guards.createStudy({ study, requestId: '' }, call(createStudy, ADA));
    await guards.getStudy({ name: NAME }, call(getStudy, ADA));
    await guards.cancelStudy({ name: NAME }, call(cancelStudy, ADA));
    await expect(guards.cancelStudy({ name: NAME }, call(cancelStudy, BOB))).rejects.toThrow();
    failure = new ApiError(status.FAILED_PRECONDITION, 'STATE', 'it has ended');
    await expect(guards.cancelStudy({ name: NAME }, call(cancelStudy, ADA))).rejects.toThrow(failure);
    failure = new Error('a fault');
    await expect(guards.cancelStudy({ name: NAME }, call(cancelStudy, ADA))).rejects.toThrow(failure);
    expect(recorded()).toEqual([
      { owner: 'ada', resource: NAME, code: 'OK' },
      { owner: 'ada', resource: NAME, code: 'OK' },
      { owner: 'bob', resource: NAME, code: 'NOT_FOUND' },
      { owner: 'ada', resource: NAME, code: 'FAILED_PRECONDITION' },
      { owner: 'ada', resource: NAME, code: 'INTERNAL' },
    ]);
  });

  it('are one for a stream, when it ends, also when its client has gone', async () => {
    await Array.fromAsync(drive(ADA));
    for await (const _ of drive(ADA)) break;
    const resource = `${NAME}/trials/0`;
    expect(recorded()).toEqual([
      { owner: 'ada', resource, code: 'OK' },
      { owner: 'ada', resource, code: 'CANCELLED' },
    ]);
  });
});
