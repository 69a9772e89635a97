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
const outerStep = (index: number) =>
  OuterStep.fromPartial({ name: `${TRIAL}/outerSteps/${index}`, index, step: index * 50 });
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
      expect(await current().listLiveTrials()).toEqual([]);
    });

    it('keep reports until their outer step, over closing and opening', async () => {
      await create();
      const { claim } = await current().startReporting(TRIAL);
      await current().addReport(claim, report(0));
      await current().addReport(claim, report(1));
      await reopen();
      const next = await current().startReporting(TRIAL);
      expect(next.reports).toEqual([report(0), report(1)]);
      expect(next.trial.attempts).toBe(1);
      expect(await current().closeWindow(next.claim, outerStep(1), Buffer.of(7))).toBeUndefined();
      await reopen();
      const last = await current().startReporting(TRIAL);
      expect(last.reports).toEqual([]);
      expect([...(last.state ?? [])]).toEqual([7]);
      expect(last.trial.outerStepsDone).toBe(1);
      expect(await current().getOuterStep(`${TRIAL}/outerSteps/1`)).toEqual(outerStep(1));
    });

    it('take nothing more of a client when another has come', async () => {
      await create();
      const { claim } = await current().startReporting(TRIAL);
      await current().startReporting(TRIAL);
      await expect(current().addReport(claim, report(0))).rejects.toThrow(StaleEpochError);
      await expect(current().closeWindow(claim, outerStep(1), Buffer.of(7))).rejects.toThrow(StaleEpochError);
      expect((await current().startReporting(TRIAL)).reports).toEqual([]);
    });

    it('end with their last outer step, and their study with them', async () => {
      await create();
      const { claim } = await current().startReporting(TRIAL);
      const ended = await current().closeWindow(claim, outerStep(1), Buffer.of(7), SUCCEEDED);
      expect(ended?.trial).toMatchObject({ state: TrialState.SUCCEEDED, outerStepsDone: 1 });
      expect(ended?.study.state).toBe(StudyState.COMPLETED);
      await expect(current().addReport(claim, report(0))).rejects.toThrow(StateError);
      await expect(current().startReporting(TRIAL)).rejects.toThrow(StateError);
    });

    it('keep a window whose outer step is refused', async () => {
      await create();
      const { claim } = await current().startReporting(TRIAL);
      await current().addReport(claim, report(0));
      await expect(current().closeWindow(claim, outerStep(2), Buffer.of(7))).rejects.toThrow(StateError);
      const { reports, state } = await current().startReporting(TRIAL);
      expect({ reports, state }).toEqual({ reports: [report(0)], state: undefined });
    });

    it('must be there', async () => {
      await expect(current().startReporting(TRIAL)).rejects.toThrow(NotFoundError);
    });
  });
}
