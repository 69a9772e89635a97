/** The training process: told once what to do, it trains one trial and tells how it goes. It never touches the store. */

import { Decision, Evaluation, OuterStep, RunMode, Study, Trial } from '@glocal/proto/glocal/v1/study';
import type { Origin } from '../checkpoint/format.ts';
import { CheckpointKeeper } from '../checkpoint/keeper.ts';
import { TrialCheckpoints } from '../checkpoint/kept.ts';
import { CheckpointSpace } from '../checkpoint/space.ts';
import { DmdClient, type OpenWindow } from '../dmd/client.ts';
import type { WindowShape } from '../dmd/window-stream.ts';
import { PausedError } from '../lifecycle/transitions.ts';
import type { Proposal, SavedLoop } from '../loop/outer-loop.ts';
import { runTrial, type TrialListener } from '../loop/trial.ts';
import { openObjects } from '../objects/open.ts';
import { endWithParent } from '../process/end-with-parent.ts';
import { tellParent } from '../process/parent.ts';
import { asComplete } from '../resource/complete-study.ts';
import { duration } from '../resource/duration.ts';
import { studyOfTrial } from '../study/trial-study.ts';
import { openTracing, type Tracing } from '../tracing/tracing.ts';
import { tracingSettings } from '../tracing/variables.ts';
import { AskedCheckpoints } from './asked-checkpoints.ts';
import {
  type EndedMessage,
  type FromWorker,
  MAX_UNACKNOWLEDGED,
  type StartMessage,
  type ToWorker,
} from './messages.ts';
import { loadTrial, reasonOf } from './problem.ts';
import { Unacknowledged } from './unacknowledged.ts';
import { isUnfit } from './unfit.ts';
import { Waits } from './waits.ts';
import { WindowSpans } from './window-spans.ts';

const PROGRESS_EVERY_MS = 250;
const ALIVE_EVERY_MS = 1_000;
/** A trial that has ended waits so long at most for its last spans to be sent. */
const FLUSH_WITHIN_MS = 1_000;
const NO_FIGURES = { test: new Uint8Array(), averagedTest: new Uint8Array() };

const save = saidOnce('no checkpoint can be written');
const forget = saidOnce('old checkpoints cannot be removed');
const waits = new Waits();
const unacknowledged = new Unacknowledged(MAX_UNACKNOWLEDGED);
const asked = new AskedCheckpoints(tell);
/** Takes the decision that is waited for. */
let decided = (_: Decision): void => {};
/** Of the trial, once it is known. */
let keeper: CheckpointKeeper | undefined;
let dmd: DmdClient | undefined;
let windowSpans: WindowSpans | undefined;
let leaving = false;

process.on('message', (message: ToWorker) => {
  if (message.type === 'leave') {
    leaving = true;
    return;
  }
  if (message.type === 'acknowledged') {
    unacknowledged.acknowledged();
    keeper?.stored(message.index).then(forget.worked, forget.failed);
    return;
  }
  if (message.type === 'checkpointAnswer') return asked.answered(message);
  if (message.type === 'decision') return decided(Decision.decode(message.decision));
  setInterval(() => {
    const leavesDmdAlone = dmd?.leavesAlone ?? false;
    tell({ type: 'alive', waits: waits.any, leavesDmdAlone });
  }, ALIVE_EVERY_MS);
  const fail = async (error: unknown) => {
    if (error instanceof PausedError) {
      const { why: reason, cause } = error.pause;
      return end({ type: 'ended', outcome: 'paused', reason, cause, ...NO_FIGURES });
    }
    process.stderr.write(`${error instanceof Error ? error.stack : error}\n`);
    const outcome = isUnfit(error) ? 'unfit' : 'failed';
    await end({ type: 'ended', outcome, reason: await reasonOf(error, message), ...NO_FIGURES });
  };
  // Of a module, in a callback of its own.
  if (message.problemDir !== undefined) process.once('uncaughtException', fail);
  train(message).then(end, fail);
});
// The server is gone, or has heard the end: nobody is left to train for.
process.once('disconnect', () => process.exit());

async function train(start: StartMessage): Promise<EndedMessage> {
  const log = (line: string) => process.stderr.write(`${line}\n`);
  const trial = Trial.decode(start.trial);
  const study = studyOfTrial(asComplete(Study.decode(start.study)), trial);
  if (study.problem.module !== '') endWithParent();
  const { space, learner, differentiation, backend, sha256 } = await loadTrial(study, trial, start, log);
  const { description } = backend;
  using _ = learner;
  const origin = { trial: trial.name, library: start.version, backend: description, datasetSha256: sha256 };
  keeper = await keeperOf(start, origin);
  const found = keeper.find(trial.outerStepsDone, start.checkpoint || undefined, start.storedBy);
  const { saved, notes } = await waits.for(found);
  tell({
    type: 'started',
    backend: description,
    datasetSha256: sha256,
    notes: [...notes, ...again(trial, saved)],
  });

  const tracing = await tracingBelow(start);
  windowSpans = tracing && new WindowSpans(tracing, start.trace, study, trial.name);
  dmd = new DmdClient(start.dmd, start.dmdRetryBudgetMs, undefined, tracing);
  try {
    const decide = study.mode === RunMode.DRIVEN ? askDriver : undefined;
    const listener = { ...listenerOf(keeper, trial.outerStepsDone), decide };
    const { name } = trial;
    const parts = { study, trial: name, space, learner, differentiation, dmd: waitedFor(dmd), listener };
    const ending = await runTrial(parts, saved);
    const { outcome, reason } = ending;
    if (ending.outcome !== 'succeeded') return { type: 'ended', outcome, reason, ...NO_FIGURES };
    return {
      type: 'ended',
      outcome,
      reason,
      test: Evaluation.encode(ending.test).finish(),
      averagedTest: Evaluation.encode(ending.averagedTest).finish(),
    };
  } finally {
    dmd.close();
  }
}

async function keeperOf(start: StartMessage, origin: Origin): Promise<CheckpointKeeper> {
  const { checkpoints, epoch, maxCheckpointBytes } = start;
  if (checkpoints === undefined) return new CheckpointKeeper(asked, origin, asked);
  const objects = await openObjects(checkpoints);
  const room = new CheckpointSpace(objects, maxCheckpointBytes);
  return new CheckpointKeeper(new TrialCheckpoints(objects, origin.trial, epoch), origin, room);
}

/** A collector that is away is mentioned by the server, which has the same. */
async function tracingBelow({ trace, version }: StartMessage): Promise<Tracing | undefined> {
  if (trace === undefined) return undefined;
  const parts = { version, closeWithinMs: FLUSH_WITHIN_MS, warn: () => {} };
  return openTracing(tracingSettings(process.env), parts);
}

/** A client that is known to be waited for when its answers are. */
const waitedFor = (dmd: DmdClient) => ({
  openWindow(shape: WindowShape): OpenWindow {
    const { push, report, abandon } = dmd.openWindow({ ...shape, trace: windowSpans?.current });
    return { push, abandon, report: () => waits.for(report()) };
  },
});

/** What is said of outer steps that are stored and have no checkpoint to go on from. */
function again({ outerStepsDone }: Trial, saved: SavedLoop | undefined): string[] {
  const from = (saved?.state.outerStepsDone ?? 0) + 1;
  if (from > outerStepsDone) return [];
  return [`outer steps ${from} to ${outerStepsDone} are trained again and not stored again`];
}

/** The server knows what was decided before, and asks who drives where nothing was. */
function askDriver({ outerStep, settlement, unsettled: { sound } }: Proposal): Promise<Decision> {
  const answer = new Promise<Decision>((resolve) => {
    decided = resolve;
  });
  const givesUp = settlement.ending !== undefined;
  tell({ type: 'proposal', outerStep: OuterStep.encode(outerStep).finish(), givesUp, sound });
  return answer;
}

/** @param stored how many outer steps the server has already. */
function listenerOf(keeper: CheckpointKeeper, stored: number): TrialListener {
  let toldAt = Number.NEGATIVE_INFINITY;
  /** A checkpoint that cannot be written costs a trial nothing until it is interrupted. */
  const write = async (saved: SavedLoop) => {
    try {
      tell({ type: 'checkpoint', bytes: await waits.for(keeper.write(saved)) });
      save.worked();
    } catch (error) {
      save.failed(error);
    }
  };
  return {
    progress(stepsDone) {
      const now = performance.now();
      if (now - toldAt < PROGRESS_EVERY_MS) return;
      toldAt = now;
      tell({ type: 'progress', stepsDone });
    },
    isLeaving: () => leaving,
    windowBegins: (outerStep) => windowSpans?.begin(outerStep),
    async outerStep(outerStep, saved) {
      windowSpans?.settled(outerStep);
      const { index } = outerStep;
      const start = performance.now();
      if (saved !== undefined) await write(saved);
      const checkpoint = saved && duration(performance.now() - start);
      if (index <= stored) return keeper.stored(index).then(forget.worked, forget.failed);
      const timing = outerStep.timing && { ...outerStep.timing, checkpoint };
      const encoded = OuterStep.encode({ ...outerStep, timing }).finish();
      tell({ type: 'outerStep', index, outerStep: encoded });
      await waits.for(unacknowledged.sent(encoded.length));
    },
  };
}

/** The server ends the process once it has stored the end: spans are sent before. */
async function end(message: EndedMessage): Promise<void> {
  await windowSpans?.close();
  tell(message);
}

/** What may fail again and again, and is said once until it works. */
function saidOnce(what: string) {
  let said = false;
  return {
    worked: () => {
      said = false;
    },
    failed: (error: unknown) => {
      if (!said) tell({ type: 'warning', text: `${what}: ${(error as Error).message}` });
      said = true;
    },
  };
}

function tell(message: FromWorker): void {
  tellParent(message);
}
