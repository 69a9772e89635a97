/** The methods of StudyService: each checks its request, asks store, queue or catalogue, and answers. */

import { OuterStep, RunMode, type Study, type Trial } from '@glocal/proto/glocal/v1/study';
import type { Limits, ServerInfo, StudyServiceService } from '@glocal/proto/glocal/v1/study_service';
import { status } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import { artifactsOf, withArtifacts } from '../artifact/catalogue.ts';
import type { ArtifactRoot } from '../artifact/folder.ts';
import type { CheckpointRoot } from '../checkpoint/kept.ts';
import { withFiles } from '../data/files-of.ts';
import type { DmdClient } from '../dmd/client.ts';
import type { DmdWatch } from '../dmd/info.ts';
import type { DriveDesk } from '../drive/desk.ts';
import { Seats } from '../drive/seats.ts';
import { EventLog } from '../events/event-log.ts';
import type { EventHub } from '../events/hub.ts';
import { watchStudy } from '../events/watch.ts';
import { WatchBudget } from '../events/watch-budget.ts';
import type { Notices } from '../notices/notices.ts';
import { ObjectStoreError } from '../objects/errors.ts';
import type { TrialQueue } from '../queue/queue.ts';
import { ANYBODY, listedOwner, mayKnow } from '../resource/caller.ts';
import type { CompleteStudy, ExternalStudy } from '../resource/complete-study.ts';
import { FieldError, NotFoundError } from '../resource/errors.ts';
import { newId } from '../resource/ids.ts';
import { MAX_MESSAGE_BYTES } from '../resource/message-size.ts';
import { parseOuterStepName, parseStudyName, parseTrialName, studyName, studyOf } from '../resource/names.ts';
import { forList } from '../resource/outer-step.ts';
import { characters } from '../resource/quote.ts';
import { RequestIdReusedError } from '../store/errors.ts';
import type { CreateResult, NewStudy, Store } from '../store/store.ts';
import type { Catalogue } from '../study/catalogue.ts';
import { newTrials } from '../study/new-trials.ts';
import { readReplays } from '../study/replays.ts';
import { exportSchedule } from '../study/schedule.ts';
import { completeStudy } from '../study/specification.ts';
import { studyOfTrial } from '../study/trial-study.ts';
import type { StudyTraces } from '../tracing/study-traces.ts';
import type { Modules } from '../worker/modules.ts';
import { ALL_STUDIES, trialsOfAll } from './all-trials.ts';
import { artifactMethods } from './artifacts.ts';
import type { Call } from './call.ts';
import { Encoded, tooLarge } from './codec.ts';
import { driving } from './driving.ts';
import { ApiError } from './errors.ts';
import type { Methods } from './handlers.ts';
import { lifecycleMethods } from './lifecycle.ts';
import { limitErrors } from './limit-errors.ts';
import { outerStepParts } from './outer-step-parts.ts';
import { MAX_UNSENT_BYTES } from './outgoing.ts';
import { MAX_PAGE_BYTES, PageTokens, pageSize, wrongPageToken } from './pages.ts';
import { listProblems } from './problems.ts';
import { reanalysis } from './reanalysis.ts';
import { reporting } from './reporting.ts';
import { completeDigest, requestDigest } from './request-digest.ts';
import { studyFilter } from './study-filter.ts';

/** Points of a page of a schedule. */
const MAX_POINTS = 10_000;

/** What the methods work with. */
export interface StudyServiceParts {
  readonly store: Store;
  readonly hub: EventHub;
  readonly notices: Notices;
  readonly queue: TrialQueue;
  readonly desk: DriveDesk;
  /** Waits for a service that is away. */
  readonly windows: DmdClient;
  readonly catalogue: Catalogue;
  readonly dmd: Pick<DmdWatch, 'status' | 'onChange'>;
  readonly checkpoints: CheckpointRoot;
  readonly modules: Modules;
  /** Where uploaded files lie. */
  readonly artifacts: ArtifactRoot;
  /** That an upload may say nothing. */
  readonly uploadIdleSeconds: number;
  readonly info: ServerInfo & { readonly limits: Limits };
  /** Undefined where there are no spans. */
  readonly studyTraces?: StudyTraces | undefined;
  readonly log: Logger;
}

/** The functions behind the service. */
export function studyService(parts: StudyServiceParts): Methods<typeof StudyServiceService> {
  const { store, hub, notices, queue, checkpoints, catalogue, modules, info, log } = parts;
  const { limits } = info;
  // A quarter for what watchers share, the rest for what each of them has still to read.
  const events = new EventLog(store, limits.maxWatchBytes / 4);
  const watchBudget = new WatchBudget({
    maxWatchers: limits.maxWatchers,
    maxBytes: (limits.maxWatchBytes * 3) / 4,
    bytesEach: MAX_UNSENT_BYTES,
  });

  const seats = new Seats(limits.maxDrivers, notices);

  const complete = async (
    requested: Study,
    { caller, signal }: Pick<Call, 'caller' | 'signal'>,
  ): Promise<CompleteStudy | ExternalStudy> => {
    const own = await withArtifacts(catalogue, requested, store, caller);
    const withModule = await modules.withModule(own, requested, caller.owner, signal);
    const known = { ...withModule, replays: await readReplays(requested, store, caller) };
    const { study, violations } = completeStudy(requested, known, limits);
    if (study === undefined) {
      throw new FieldError(
        violations.every(({ field }) => field.startsWith('space')) ? 'SEARCH_SPACE' : 'STUDY',
        violations.map((violation) => ({ ...violation, field: `study.${violation.field}` })),
      );
    }
    return study;
  };

  const getStudy = async (name: string, field = 'name'): Promise<Study> => {
    parseStudyName(name, field);
    return found(await store.getStudy(name), name);
  };

  const getTrial = async (name: string, field = 'name'): Promise<Trial> => {
    parseTrialName(name, field);
    return found(await store.getTrial(name), name);
  };

  return {
    ...artifactMethods(parts),
    ...lifecycleMethods({ ...parts, limits }),
    ...driving({ ...parts, seats, getStudy, getTrial }),
    ...reanalysis({ store, dmd: parts.windows }),
    ...reporting({ ...parts, dmd: parts.windows, seats, getStudy, getTrial }),

    createStudy: async ({ study: requested, requestId }, call) => {
      const idLength = characters(requestId);
      if (idLength > 128) {
        throw FieldError.of('REQUEST_ID', 'request_id', `has ${idLength} characters; at most 128`);
      }
      const asked = required(requested);
      const completed = await complete(asked, call);
      const now = new Date();
      const id = newId().toLowerCase();
      const { owner } = call.caller;
      const study: Study = { ...completed, name: studyName(id), owner, createTime: now, updateTime: now };
      const trials = newTrials(id, completed);
      const { maxActiveStudies, maxOwnerActiveStudies, maxStudies } = limits;
      const request = {
        ...{ study, trials, requestId, artifacts: artifactsOf(study) },
        ...{ maxActiveStudies, maxOwnerActiveStudies, maxStudies },
      };
      const result = await createOnce(request, requestDigest(asked), () => completeDigest(completed));
      if (result.created && call.span) parts.studyTraces?.remember(study.name, call.span.context);
      if (result.created && completed.mode !== RunMode.EXTERNAL)
        queue.submit(trials.map((trial) => trial.name));
      return result.study;
    },

    validateStudy: ({ study }, call) => complete(required(study), call),

    getStudy: ({ name }) => getStudy(name),

    listStudies: async (request, { caller }) => {
      const size = pageSize(request.pageSize);
      const filter = { owner: listedOwner(caller), ...studyFilter(request) };
      const tokens = new PageTokens('studies', filter);
      const after = tokens.parse(request.pageToken);
      if (after !== undefined) {
        const last = (await store.getStudy(after)) ?? (await store.getDeleted(after));
        if (last === undefined || !mayKnow(caller, last.owner)) throw wrongPageToken();
      }
      const page = { after, ...filter, limit: size, maxBytes: MAX_PAGE_BYTES };
      const { records, more } = await store.listStudies(page);
      return { studies: records, nextPageToken: tokens.make(more ? records.at(-1)?.name : undefined) };
    },

    getTrial: async ({ name }) => {
      const trial = await getTrial(name);
      // A trial can be looked at while a store of checkpoints elsewhere is away.
      const { outerSteps, bytes } = await checkpoints.kept(name).catch((error: unknown) => {
        if (error instanceof ObjectStoreError) return { outerSteps: [], bytes: 0 };
        throw error;
      });
      return { ...trial, checkpoints: outerSteps, checkpointBytes: BigInt(bytes) };
    },

    listTrials: async (request, { caller }) => {
      if (request.parent === ALL_STUDIES) return trialsOfAll(store, request, caller);
      await getStudy(request.parent, 'parent');
      const size = pageSize(request.pageSize);
      const tokens = new PageTokens('trials', request.parent);
      const start = tokens.parseNumber(request.pageToken);
      const page = { after: start - 1, limit: size, maxBytes: MAX_PAGE_BYTES };
      const { records, more } = await store.listTrials(request.parent, page);
      return { trials: records, nextPageToken: tokens.make(more ? start + records.length : undefined) };
    },

    getOuterStep: async ({ name }) => {
      parseOuterStepName(name, 'name');
      const bytes = Buffer.from(OuterStep.encode(found(await store.getOuterStep(name), name)).finish());
      if (bytes.length > MAX_MESSAGE_BYTES) throw tooLarge(bytes.length, 'ReadOuterStep streams it');
      return new Encoded(bytes);
    },

    readOuterStep: async function* ({ name }) {
      parseOuterStepName(name, 'name');
      yield* outerStepParts(found(await store.getOuterStep(name), name));
    },

    listOuterSteps: async (request) => {
      await getTrial(request.parent, 'parent');
      const size = pageSize(request.pageSize);
      const tokens = new PageTokens('outerSteps', request.parent);
      const { records, more } = await store.listOuterSteps(request.parent, {
        limit: size,
        after: tokens.parseNumber(request.pageToken),
        windows: request.includeWindows,
        maxBytes: MAX_PAGE_BYTES,
      });
      // Several fit by the page's own limit, which a single one may pass.
      const outerSteps = records.length === 1 ? records.map(forList) : records;
      return { outerSteps, nextPageToken: tokens.make(more ? records.at(-1)?.index : undefined) };
    },

    watchStudy: async function* ({ name, cursor, maxLag }, call) {
      parseStudyName(name, 'name');
      using _place = watchBudget.enter(call.caller.owner);
      for await (const event of watchStudy({ store, hub, events, log }, { name, cursor, maxLag }, call)) {
        using _room = await watchBudget.hold(event.length, call.signal);
        yield new Encoded(event);
      }
    },

    exportSchedule: async (request) => {
      const trial = await getTrial(request.name);
      const study = await getStudy(studyOf(request.name));
      const tokens = new PageTokens('schedule', request.name);
      const { parameters, points, next } = await exportSchedule(store, studyOfTrial(study, trial), trial, {
        after: request.pageToken === '' ? undefined : tokens.parseNumber(request.pageToken),
        limit: pageSize(request.pageSize, { usual: MAX_POINTS, most: MAX_POINTS }),
        maxBytes: MAX_PAGE_BYTES,
      });
      return { parameters, points, nextPageToken: tokens.make(next) };
    },

    listProblems: async (request) => {
      const [datasets, listed] = await Promise.all([withFiles(catalogue.datasets), modules.list()]);
      return listProblems({ ...catalogue, datasets, modules: listed }, request);
    },

    getServerInfo: async (_request, { caller }) => ({
      ...info,
      caller: caller === ANYBODY ? undefined : caller,
    }),
  };

  /** @param earlier makes the digest that the same request may be stored with by an earlier version. */
  async function createOnce(
    request: Omit<NewStudy, 'fingerprint'>,
    fingerprint: Uint8Array,
    earlier?: () => Uint8Array,
  ): Promise<CreateResult> {
    try {
      return await limitErrors(() => store.createStudy({ ...request, fingerprint }));
    } catch (error) {
      if (!(error instanceof RequestIdReusedError)) throw error;
      if (earlier !== undefined) return createOnce(request, earlier());
      throw new ApiError(status.ALREADY_EXISTS, 'REQUEST_ID_REUSED', error.message);
    }
  }
}

function required(study: Study | undefined): Study {
  if (study === undefined) throw FieldError.of('STUDY', 'study', 'is missing');
  return study;
}

function found<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new NotFoundError(name);
  return value;
}
