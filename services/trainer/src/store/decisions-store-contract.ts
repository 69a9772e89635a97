/** The behaviour that every store must have about the decisions of drivers, as a vitest suite. */

import { Decision, OuterStep, Study, StudyState, Trial, TrialState } from '@glocal/proto/glocal/v1/study';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NotFoundError, StateError } from '../resource/errors.ts';
import { StaleEpochError } from './errors.ts';
import type { Claim, Store } from './store.ts';

const TRIAL = 'studies/a/trials/0';
const accept = (outerStep: number, outerRate?: number) =>
  Decision.fromPartial({ outerStep, action: { $case: 'accept', value: {} }, outerRate });

/**
 * @param open makes an empty store.
 * @param reopen opens what `open` made once more, after it was closed.
 */
export function decisionsContract(
  name: string,
  open: () => Promise<Store>,
  reopen: () => Promise<Store>,
): void {
  describe(`${name}, of decisions,`, () => {
    let store: Store;
    let claim: Claim;
    beforeEach(async () => {
      store = await open();
      await store.createStudy({
        study: Study.fromPartial({ name: 'studies/a', state: StudyState.ACTIVE }),
        trials: [Trial.fromPartial({ name: TRIAL, state: TrialState.PENDING })],
        requestId: '',
        fingerprint: Buffer.of(1),
        maxActiveStudies: 100,
      });
      ({ claim } = await store.startTrial(TRIAL));
    });
    afterEach(() => store.close());

    const events = async () => (await store.listEvents('studies/a', { limit: 99 })).records.length;
    const settled = (decision: Decision) =>
      OuterStep.fromPartial({ name: `${TRIAL}/outerSteps/1`, index: 1, step: 50, update: { decision } });

    it('keeps the decision about the next outer step over closing and opening, and with the step from then on', async () => {
      await store.addDecision(TRIAL, accept(1, 0.5));
      await store.close();
      store = await reopen();
      expect(await store.getDecision(TRIAL, 1)).toEqual(accept(1, 0.5));
      expect(await store.getDecision(TRIAL, 2)).toBeUndefined();
      await store.addOuterStep(claim, settled(accept(1, 0.5)));
      expect(await store.getDecision(TRIAL, 1)).toEqual(accept(1, 0.5));
      expect(await store.getDecision(TRIAL, 2)).toBeUndefined();
      await store.addDecision(TRIAL, accept(2));
      expect(await store.getDecision(TRIAL, 1)).toEqual(accept(1, 0.5));
      expect(await store.getDecision(TRIAL, 2)).toEqual(accept(2));
    });

    it('takes a decision again, and none that differs', async () => {
      await store.addDecision(TRIAL, accept(1));
      await store.addDecision(TRIAL, accept(1));
      await expect(store.addDecision(TRIAL, accept(1, 2))).rejects.toThrow(StateError);
      expect(await store.getDecision(TRIAL, 1)).toEqual(accept(1));
    });

    it('takes none about another outer step, and none of a trial that it does not have', async () => {
      await expect(store.addDecision(TRIAL, accept(2))).rejects.toThrow(/outer step 1 of .* is open/);
      await expect(store.addDecision('studies/b/trials/0', accept(1))).rejects.toThrow(NotFoundError);
      expect(await store.getDecision('studies/b/trials/0', 1)).toBeUndefined();
    });

    it('tells of a trial that waits and of the decision that ends it, and of no other decision', async () => {
      const before = await events();
      await store.addDecision(TRIAL, accept(1));
      expect(await events()).toBe(before);
      await store.addOuterStep(claim, settled(accept(1)));
      expect(await store.awaitDecision(claim, 2)).toMatchObject({
        state: TrialState.RUNNING,
        stateReason: 'waiting for a decision about outer step 2',
      });
      expect(await store.addDecision(TRIAL, accept(2))).toMatchObject({ stateReason: '' });
      expect(await events()).toBe(before + 3);
    });

    const proposal = (index: number, deadline = new Date(1_000)) => ({
      outerStep: OuterStep.fromPartial({
        index,
        trainLoss: 0.5,
        window: { hypergradients: Buffer.of(1, 2) },
      }),
      givesUp: false,
      sound: true,
      deadline,
    });

    it('keeps what is proposed, the last of it, over closing and opening', async () => {
      expect(await store.getProposal(TRIAL)).toBeUndefined();
      expect(await store.getDriving(TRIAL)).toEqual({ seat: 0, deadline: undefined });
      expect(await store.propose(claim, proposal(1))).toBeUndefined();
      const last = { ...proposal(1, new Date(2_000)), givesUp: true, sound: false };
      await store.propose(claim, last);
      await store.close();
      store = await reopen();
      expect(await store.getProposal(TRIAL)).toEqual(last);
      expect(await store.getDriving(TRIAL)).toEqual({ seat: 0, deadline: last.deadline });
      expect(await store.getProposal('studies/b/trials/0')).toBeUndefined();
    });

    it('keeps nothing that is decided, and says what was', async () => {
      await store.propose(claim, proposal(1));
      await store.addDecision(TRIAL, accept(1));
      expect(await store.getProposal(TRIAL)).toBeUndefined();
      expect(await store.getDriving(TRIAL)).toMatchObject({ deadline: undefined });
      expect(await store.propose(claim, proposal(1))).toEqual(accept(1));
      expect(await store.getProposal(TRIAL)).toBeUndefined();
      await store.addOuterStep(claim, settled(accept(1)));
      await expect(store.propose(claim, proposal(1))).rejects.toThrow(StateError);
      await store.propose(claim, proposal(2));
      expect(await store.getProposal(TRIAL)).toEqual(proposal(2));
    });

    it('keeps what is proposed while the trial waits to be trained again, and not when it is PAUSED or has ended', async () => {
      await store.propose(claim, proposal(1));
      await store.interruptTrial(claim, { why: 'its process died', crashed: true });
      expect(await store.getProposal(TRIAL)).toEqual(proposal(1));
      await expect(store.propose(claim, proposal(1))).rejects.toThrow(StateError);
      const { claim: second } = await store.startTrial(TRIAL);
      await expect(store.propose(claim, proposal(1))).rejects.toThrow(StaleEpochError);
      expect(await store.getProposal(TRIAL)).toEqual(proposal(1));
      await store.pauseTrial(second, { why: 'nobody has decided', cause: 'decision' });
      expect(await store.getProposal(TRIAL)).toBeUndefined();
      await store.resumeTrial(TRIAL, 'decision', 'caller');
      const { claim: third } = await store.startTrial(TRIAL);
      expect(await store.getProposal(TRIAL)).toBeUndefined();
      await store.propose(third, proposal(1));
      await store.cancelStudy('studies/a');
      expect(await store.getProposal(TRIAL)).toBeUndefined();
    });

    it('numbers those who drive, whatever is proposed', async () => {
      expect(await store.takeSeat(TRIAL)).toBe(1);
      await store.propose(claim, proposal(1));
      const both = await Promise.all([store.takeSeat(TRIAL), store.takeSeat(TRIAL)]);
      expect(both.toSorted()).toEqual([2, 3]);
      expect(await store.getDriving(TRIAL)).toEqual({ seat: 3, deadline: proposal(1).deadline });
      await expect(store.takeSeat('studies/b/trials/0')).rejects.toThrow(NotFoundError);
    });

    it('lets only the latest claim wait', async () => {
      await store.interruptTrial(claim, { why: 'the server stopped', crashed: false });
      await store.startTrial(TRIAL);
      await expect(store.awaitDecision(claim, 1)).rejects.toThrow(StaleEpochError);
    });
  });
}
