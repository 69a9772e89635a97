/** What every store must do for trials whose client trains; a part of `store-contract.ts`. */

import { OuterStep, RunMode, Study, StudyState, Trial, TrialState } from '@glocal/proto/glocal/v1/study';
import { Report } from '@glocal/proto/glocal/v1/study_service';
import { describe, expect, it } from 'vitest';
import { NotFoundError, StateError } from '../resource/errors.ts';
import { StaleEpochError } from './errors.ts';
import type { Store } from './store.ts';

const TRIAL = 'studies/e/trials/0';
const report = (firstRow: number) =>
  Report.fromPartial({ outerStep: 1, firstRow, hypergradients: Buffer.alloc(8, firstRow) });
const kept = (firstRow: number) => ({ report: report(firstRow), natural: false });
const outerStep = (index: number) =>
  OuterStep.fromPartial({ name: `${TRIAL}/outerSteps/${index}`, index, step: index * 50 });
const ownRows = (value: number) =>
  OuterStep.fromPartial({ window: { rows: 3, hypergradients: Buffer.alloc(8, value) } }).window;
const SUCCEEDED = { state: TrialState.SUCCEEDED, reason: 'all steps done' } as const;

/** @param current the store under test, which is empty. @param reopen the same once more, after it was closed. */
export function reportsContract(current: () => Store, reopen: () => Promise<void>): void {
  describe('trials whose client trains', () => {
    const create = () =>
      current().createStudy({
        study: Study.fromPartial({ name: 'studies/e', mode: RunMode.EXTERNAL, state: StudyState.ACTIVE }),
        trials: [Trial.fromPartial({ name: TRIAL, state: TrialState.PENDING })],
        requestId: '',
        fingerprint: Buffer.of(1),
        maxActiveStudies: 100,
      });

    it('run from the first client on, and are nothing that a queue may train', async () => {
      await create();
      const { study, trial, reports, state } = await current().startReporting(TRIAL);
      expect(study.name).toBe('studies/e');
      expect(trial).toMatchObject({ state: TrialState.RUNNING, attempts: 1 });
      expect({ reports, state }).toEqual({ reports: [], state: undefined });
      const worker = { worker: 'w', leaseMs: 60_000, holding: [], except: [] };
      expect(await current().claimTrial(worker)).toBeUndefined();
    });

    it('keep reports until their outer step, over closing and opening', async () => {
      await create();
      const { claim } = await current().startReporting(TRIAL);
      await current().addReports(claim, [report(0)], 0);
      await current().addReports(claim, [report(1), report(2)], 1);
      await reopen();
      const next = await current().startReporting(TRIAL);
      expect(next.reports).toEqual([kept(0), kept(1), kept(2)]);
      expect(next.trial.attempts).toBe(1);
      expect(await current().closeWindow(next.claim, outerStep(1), Buffer.of(7))).toBeUndefined();
      await reopen();
      const last = await current().startReporting(TRIAL);
      expect(last.reports).toEqual([]);
      expect([...(last.state ?? [])]).toEqual([7]);
      expect(last.trial.outerStepsDone).toBe(1);
      expect(await current().getOuterStep(`${TRIAL}/outerSteps/1`)).toEqual(outerStep(1));
    });

    it('have what was kept in the window of their outer step, before what that has itself', async () => {
      await create();
      const { claim } = await current().startReporting(TRIAL);
      await current().addReports(claim, [report(0), report(1)], 0);
      const last = { ...outerStep(1), window: ownRows(3) };
      await current().closeWindow(claim, last, Buffer.of(7), { kept: 2 });
      await reopen();
      const rows = Buffer.concat([0, 1, 3].map((value) => Buffer.alloc(8, value)));
      const whole = { ...last, window: { ...last.window, hypergradients: rows } };
      expect(await current().getOuterStep(last.name)).toEqual(whole);
      const page = (maxBytes: number) =>
        current().listOuterSteps(TRIAL, { limit: 9, windows: true, maxBytes });
      expect(await page(1_000)).toEqual({ records: [whole], more: false });
      const lean = { ...last, window: { ...last.window, hypergradients: Buffer.alloc(0) } };
      expect(await page(40)).toEqual({ records: [lean], more: false });
      expect((await current().startReporting(TRIAL)).reports).toEqual([]);
    });

    it('have nothing of what was kept in an outer step that has all of its window itself', async () => {
      await create();
      const { claim } = await current().startReporting(TRIAL);
      await current().addReports(claim, [report(0)], 0);
      const whole = { ...outerStep(1), window: ownRows(3) };
      await current().closeWindow(claim, whole, Buffer.of(7));
      expect(await current().getOuterStep(whole.name)).toEqual(whole);
    });

    it('keep no report without those before it, and no outer step without its reports', async () => {
      await create();
      const { claim } = await current().startReporting(TRIAL);
      await expect(current().addReports(claim, [report(1)], 1)).rejects.toThrow(StateError);
      await current().addReports(claim, [report(0)], 0);
      await expect(current().addReports(claim, [report(0)], 0)).rejects.toThrow(StateError);
      const early = current().closeWindow(claim, outerStep(1), Buffer.of(7), { kept: 2 });
      await expect(early).rejects.toThrow(StateError);
      const { reports, trial } = await current().startReporting(TRIAL);
      expect({ reports, done: trial.outerStepsDone }).toEqual({ reports: [kept(0)], done: 0 });
    });

    it('take nothing more of a client when another has come', async () => {
      await create();
      const { claim } = await current().startReporting(TRIAL);
      await current().startReporting(TRIAL);
      await expect(current().addReports(claim, [report(0)], 0)).rejects.toThrow(StaleEpochError);
      await expect(current().closeWindow(claim, outerStep(1), Buffer.of(7))).rejects.toThrow(StaleEpochError);
      expect((await current().startReporting(TRIAL)).reports).toEqual([]);
    });

    it('end with their last outer step, and their study with them', async () => {
      await create();
      const { claim } = await current().startReporting(TRIAL);
      const ended = await current().closeWindow(claim, outerStep(1), Buffer.of(7), { ending: SUCCEEDED });
      expect(ended?.trial).toMatchObject({ state: TrialState.SUCCEEDED, outerStepsDone: 1 });
      expect(ended?.study.state).toBe(StudyState.COMPLETED);
      await expect(current().addReports(claim, [report(0)], 0)).rejects.toThrow(StateError);
      await expect(current().startReporting(TRIAL)).rejects.toThrow(StateError);
    });

    it('keep a window whose outer step is refused', async () => {
      await create();
      const { claim } = await current().startReporting(TRIAL);
      await current().addReports(claim, [report(0)], 0);
      await expect(current().closeWindow(claim, outerStep(2), Buffer.of(7))).rejects.toThrow(StateError);
      const { reports, state } = await current().startReporting(TRIAL);
      expect({ reports, state }).toEqual({ reports: [kept(0)], state: undefined });
    });

    it('must be there', async () => {
      await expect(current().startReporting(TRIAL)).rejects.toThrow(NotFoundError);
    });
  });
}
