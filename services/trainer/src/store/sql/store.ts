/** A store on an SQL database: encodes what goes there, decodes what comes back, and knows whether it can write. */

import { Decision, OuterStep, Study, Trial } from '@glocal/proto/glocal/v1/study';
import { Artifact, Report } from '@glocal/proto/glocal/v1/study_service';
import type { Actor } from '../../lifecycle/table.ts';
import type { Interruption, Pause, PauseCause, Runtime, TrialEnding } from '../../lifecycle/transitions.ts';
import { parseOuterStepName, trialName } from '../../resource/names.ts';
import { StoreUnavailableError } from '../errors.ts';
import { StoreHealth } from '../health.ts';
import { isLost } from '../lost.ts';
import { decodeEvent, decodeOuterStep, encodeOuterStep } from '../records.ts';
import type {
  AllTrialsPage,
  Claim,
  ClaimRequest,
  CreatedArtifact,
  CreateResult,
  DeletedStudy,
  Driving,
  EndedTrial,
  Expiry,
  HeldTrial,
  LeaseRequest,
  LostRequest,
  NewArtifact,
  NewStudy,
  OuterStepsOfClaim,
  Page,
  PageRequest,
  Proposal,
  ReportedTrial,
  ResumedStudy,
  ResumeRequest,
  StartedTrial,
  StateCounts,
  Store,
  StoredArtifact,
  StoredEvent,
  StudyPage,
  StudySnapshot,
  WindowEnd,
} from '../store.ts';
import { type Arguments, type Connection, isWrite, type Method, type Result } from './methods.ts';
import type { EncodedStartedTrial } from './trials.ts';

const FIRST_PROBE_MS = 100;
const LAST_PROBE_MS = 5_000;
const NOTHING = Buffer.alloc(0);

/** @see Store */
export class SqlStore implements Store {
  readonly health = new StoreHealth();
  readonly #connection: Connection;
  #closed = false;
  #nextProbe: NodeJS.Timeout | undefined;
  /** Until the next probe, in milliseconds: longer each time, until a write succeeds. */
  #probeWait = FIRST_PROBE_MS;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async createStudy({ study, trials, ...rest }: NewStudy): Promise<CreateResult> {
    const before = await this.#call('createStudy', {
      ...rest,
      name: study.name,
      study: Study.encode(study).finish(),
      trials: trials.map((trial) => ({ name: trial.name, trial: Trial.encode(trial).finish() })),
    });
    return before === undefined ? { study, created: true } : { study: Study.decode(before), created: false };
  }

  async cancelStudy(name: string): Promise<Study> {
    return Study.decode(await this.#call('cancelStudy', name));
  }

  async pauseStudy(name: string): Promise<Study> {
    return Study.decode(await this.#call('pauseStudy', name));
  }

  async resumeStudy(request: ResumeRequest): Promise<ResumedStudy> {
    const { study, trials } = await this.#call('resumeStudy', request);
    return { study: Study.decode(study), trials };
  }

  async deleteStudy(name: string): Promise<void> {
    await this.#call('deleteStudy', name);
  }

  async countStates(): Promise<StateCounts> {
    return this.#call('countStates');
  }

  async getDeleted(name: string): Promise<DeletedStudy | undefined> {
    return this.#call('getDeleted', name);
  }

  async getStudy(name: string): Promise<Study | undefined> {
    const record = await this.#call('getStudy', name);
    return record && Study.decode(record);
  }

  async listStudies(page: StudyPage): Promise<Page<Study>> {
    return mapPage(await this.#call('listStudies', page), (record) => Study.decode(record));
  }

  async listExpired(expiry: Expiry): Promise<string[]> {
    return this.#call('listExpired', expiry);
  }

  async getSnapshot(name: string, page: PageRequest<number>): Promise<StudySnapshot | undefined> {
    const found = await this.#call('getSnapshot', name, page);
    if (found === undefined) return undefined;
    const { study, trials, sequence } = found;
    return { study: Study.decode(study), trials: trials.map((trial) => Trial.decode(trial)), sequence };
  }

  async lastSequence(study: string): Promise<number> {
    return this.#call('lastSequence', study);
  }

  async lastSequences(studies: readonly string[]): Promise<Map<string, number>> {
    return new Map(await this.#call('lastSequences', studies));
  }

  async startTrial(name: string): Promise<StartedTrial> {
    return decodeStarted(await this.#call('startTrial', name));
  }

  async claimTrial(request: ClaimRequest): Promise<StartedTrial | undefined> {
    const started = await this.#call('claimTrial', request);
    return started && decodeStarted(started);
  }

  renewLease(request: LeaseRequest): Promise<HeldTrial[]> {
    return this.#call('renewLease', request);
  }

  async expireLeases({ everyone = false, maxWorkerDeaths = 0 }: LostRequest = {}): Promise<Trial[]> {
    const interrupted: Trial[] = [];
    for (const lost of await this.#call('listLostTrials', everyone)) {
      const seconds = Math.round(lost.silentMs / 1_000);
      const why = everyone
        ? 'the server ended'
        : `its worker ${lost.worker} has not been heard of for ${seconds} s`;
      try {
        const death = everyone ? undefined : { why, most: maxWorkerDeaths };
        const trial = await this.#call('takeFromLost', lost.trial, why, death);
        if (trial !== undefined) interrupted.push(Trial.decode(trial));
      } catch (error) {
        // Deleted meanwhile.
        if (!isLost(error)) throw error;
      }
    }
    return interrupted;
  }

  async describeRuntime(claim: Claim, runtime: Runtime): Promise<Trial> {
    return Trial.decode(await this.#call('describeRuntime', claim, runtime));
  }

  async awaitDecision(claim: Claim, outerStep: number): Promise<Trial> {
    return Trial.decode(await this.#call('awaitDecision', claim, outerStep));
  }

  async addDecision(trial: string, decision: Decision): Promise<Trial> {
    return Trial.decode(await this.#call('addDecision', trial, Decision.encode(decision).finish()));
  }

  async propose(claim: Claim, proposal: Proposal): Promise<Decision | undefined> {
    const { outerStep, givesUp, sound, deadline } = proposal;
    const decided = await this.#call('propose', claim, {
      ...{ index: outerStep.index, outerStep: OuterStep.encode(outerStep).finish() },
      ...{ givesUp, sound, deadline: deadline.getTime() },
    });
    return decided && Decision.decode(decided);
  }

  async getProposal(trial: string): Promise<Proposal | undefined> {
    const found = await this.#call('getProposal', trial);
    if (found === undefined) return undefined;
    const { outerStep, givesUp, sound, deadline } = found;
    return { outerStep: OuterStep.decode(outerStep), givesUp, sound, deadline: new Date(deadline) };
  }

  async getDriving(trial: string): Promise<Driving> {
    const { seat, deadline } = await this.#call('getDriving', trial);
    return { seat, deadline: deadline === undefined ? undefined : new Date(deadline) };
  }

  takeSeat(trial: string): Promise<number> {
    return this.#call('takeSeat', trial);
  }

  async getDecision(trial: string, outerStep: number): Promise<Decision | undefined> {
    const record = await this.#call('getDecision', trial, outerStep);
    return record && Decision.decode(record);
  }

  async addOuterStep(claim: Claim, outerStep: OuterStep): Promise<Trial> {
    return Trial.decode(await this.#call('addOuterStep', claim, encodeOuterStep(outerStep)));
  }

  async interruptTrial(claim: Claim, interruption: Interruption): Promise<Trial> {
    return Trial.decode(await this.#call('interruptTrial', claim, interruption));
  }

  async pauseTrial(claim: Claim, pause: Pause): Promise<Trial> {
    return Trial.decode(await this.#call('pauseTrial', claim, pause));
  }

  async resumeTrial(name: string, cause: PauseCause, by: Actor): Promise<boolean> {
    return this.#call('resumeTrial', name, cause, by);
  }

  async listPausedTrials(cause: PauseCause): Promise<string[]> {
    return this.#call('listPausedTrials', cause);
  }

  async endTrial(claim: Claim, ending: TrialEnding): Promise<EndedTrial> {
    const { study, trial } = await this.#call('endTrial', claim, ending);
    return { study: Study.decode(study), trial: Trial.decode(trial) };
  }

  async startReporting(name: string): Promise<ReportedTrial> {
    const { epoch, study, trial, reports, state } = await this.#call('startReporting', name);
    return {
      claim: { trial: name, epoch },
      study: Study.decode(study),
      trial: Trial.decode(trial),
      reports: reports.map(({ record, hypergradients, natural }) => ({
        report: { ...Report.decode(record), hypergradients: bufferOf(hypergradients) },
        natural,
      })),
      state,
    };
  }

  addReports(claim: Claim, reports: readonly Report[], number: number): Promise<void> {
    const records = reports.map((report, i) => ({
      outerStep: report.outerStep,
      number: number + i,
      record: Report.encode({ ...report, hypergradients: NOTHING }).finish(),
      hypergradients: report.hypergradients,
    }));
    return this.#call('addReports', claim, records);
  }

  async closeWindow(
    claim: Claim,
    outerStep: OuterStep,
    state: Uint8Array,
    end: WindowEnd = {},
  ): Promise<EndedTrial | undefined> {
    const ended = await this.#call('closeWindow', claim, encodeOuterStep(outerStep), state, end);
    return ended && { study: Study.decode(ended.study), trial: Trial.decode(ended.trial) };
  }

  async getTrial(name: string): Promise<Trial | undefined> {
    const record = await this.#call('getTrial', name);
    return record && Trial.decode(record);
  }

  async listTrials(
    study: string,
    page: PageRequest<number> = { limit: Number.MAX_SAFE_INTEGER - 1 },
  ): Promise<Page<Trial>> {
    return mapPage(await this.#call('listTrials', study, page), (record) => Trial.decode(record));
  }

  async listAllTrials(page: AllTrialsPage): Promise<Page<Trial>> {
    return mapPage(await this.#call('listAllTrials', page), (record) => Trial.decode(record));
  }

  async getOuterStep(name: string): Promise<OuterStep | undefined> {
    const { study, trial, index } = parseOuterStepName(name, 'name');
    const record = await this.#call('getOuterStep', trialName(study, trial), index);
    return record && decodeOuterStep(record);
  }

  async listOuterSteps(
    trial: string,
    page: PageRequest<number> & { readonly windows?: boolean },
  ): Promise<Page<OuterStep>> {
    return mapPage(await this.#call('listOuterSteps', trial, page), decodeOuterStep);
  }

  listOuterStepEpochs(trial: string): Promise<OuterStepsOfClaim[]> {
    return this.#call('listOuterStepEpochs', trial);
  }

  async listEvents(study: string, page: PageRequest<number>): Promise<Page<StoredEvent>> {
    return mapPage(await this.#call('listEvents', study, page), decodeEvent);
  }

  async createArtifact({ artifact, digest, description }: NewArtifact): Promise<CreatedArtifact> {
    const { name, owner, size } = artifact;
    const encoded = Artifact.encode(artifact).finish();
    const { record, created } = await this.#call('createArtifact', {
      ...{ name, owner, size, digest, description },
      record: encoded,
    });
    return { artifact: Artifact.decode(record), created };
  }

  async getArtifact(name: string): Promise<StoredArtifact | undefined> {
    const stored = await this.#call('getArtifact', name);
    return stored && { artifact: Artifact.decode(stored.record), description: stored.description };
  }

  async listArtifacts(
    page: PageRequest<string> & { readonly owner: string | undefined },
  ): Promise<Page<Artifact>> {
    return mapPage(await this.#call('listArtifacts', page), (record) => Artifact.decode(record));
  }

  artifactBytes(owner: string): Promise<bigint> {
    return this.#call('artifactBytes', owner);
  }

  deletedArtifactOwner(name: string): Promise<string | undefined> {
    return this.#call('deletedArtifactOwner', name);
  }

  deleteArtifact(name: string): Promise<void> {
    return this.#call('deleteArtifact', name);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#nextProbe);
    await this.#connection.close();
  }

  async #call<M extends Method>(method: M, ...args: Arguments<M>): Promise<Result<M>> {
    try {
      const result = await this.#connection.call(method, ...args);
      if (isWrite(method)) this.#probeWait = FIRST_PROBE_MS;
      return result;
    } catch (error) {
      // A read says so only when there is nobody to read: the disk, the thread, or the database.
      if (error instanceof StoreUnavailableError && !this.#closed) this.#becomeUnwritable(error.message);
      throw error;
    }
  }

  #becomeUnwritable(reason: string): void {
    const known = !this.health.writable;
    this.health.set(reason);
    if (!known) this.#probeLater();
  }

  #probeLater(): void {
    if (this.#closed) return;
    this.#nextProbe = setTimeout(() => void this.#probe(), this.#probeWait).unref();
    this.#probeWait = Math.min(2 * this.#probeWait, LAST_PROBE_MS);
  }

  async #probe(): Promise<void> {
    try {
      await this.#connection.probe();
      this.health.set(undefined);
    } catch (error) {
      this.health.set((error as Error).message);
      this.#probeLater();
    }
  }
}

const bufferOf = ({ buffer, byteOffset, byteLength }: Uint8Array): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength);

const decodeStarted = ({ name, epoch, checkpoint, study, trial }: EncodedStartedTrial): StartedTrial => ({
  ...{ claim: { trial: name, epoch }, checkpoint },
  study: Study.decode(study),
  trial: Trial.decode(trial),
});

const mapPage = <From, To>({ records, more }: Page<From>, decode: (record: From) => To): Page<To> => ({
  records: records.map(decode),
  more,
});
