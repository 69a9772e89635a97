/** Trials that a client drives: what is proposed to it, and who drives. What it decides is in `trials.ts`. */

import { Decision } from '@glocal/proto/glocal/v1/study';
import { propose as proposing } from '../../lifecycle/decisions.ts';
import type { Claim } from '../store.ts';
import { type Bytes, change, query, type Row, type Steps } from './query.ts';
import { claimed, trial } from './rows.ts';

/** A proposal in encoded records. */
export interface EncodedProposal {
  /** Of the outer step. */
  readonly index: number;
  /** An OuterStep. */
  readonly outerStep: Bytes;
  readonly givesUp: boolean;
  readonly sound: boolean;
  /** In milliseconds. */
  readonly deadline: number;
}

/** The decision, when there is one already: nothing is kept then. */
export function* propose(claim: Claim, proposal: EncodedProposal): Steps<Bytes | undefined> {
  const { index, outerStep, givesUp, sound, deadline } = proposal;
  const { id, record, decision } = yield* claimed(claim);
  const decided = proposing(record, decision, index);
  if (decided !== undefined) return Decision.encode(decided).finish();
  yield change(
    `INSERT INTO drives (trial, outer_step, deadline, gives_up, sound, record) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (trial) DO UPDATE SET outer_step = excluded.outer_step, deadline = excluded.deadline,
       gives_up = excluded.gives_up, sound = excluded.sound, record = excluded.record`,
    ...[id, index, deadline, givesUp ? 1 : 0, sound ? 1 : 0, outerStep],
  );
  return undefined;
}

export function* getProposal(trial: string): Steps<EncodedProposal | undefined> {
  const [row] = yield query(
    `SELECT outer_step, deadline, gives_up, sound, record FROM drives
     WHERE trial = (SELECT id FROM trials WHERE name = ?) AND record IS NOT NULL`,
    trial,
  );
  return row && asProposal(row);
}

export function* getDriving(trial: string): Steps<{ seat: number; deadline: number | undefined }> {
  const [row] = yield query(
    'SELECT seat, deadline FROM drives WHERE trial = (SELECT id FROM trials WHERE name = ?)',
    trial,
  );
  const deadline = row?.deadline ?? null;
  return { seat: Number(row?.seat ?? 0), deadline: deadline === null ? undefined : Number(deadline) };
}

/** @throws NotFoundError */
export function* takeSeat(name: string): Steps<number> {
  const { id } = yield* trial(name);
  const [row] = yield query(
    `INSERT INTO drives (trial, seat) VALUES (?, 1)
     ON CONFLICT (trial) DO UPDATE SET seat = drives.seat + 1 RETURNING seat`,
    id,
  );
  return Number((row as Row).seat);
}

const asProposal = ({ outer_step, deadline, gives_up, sound, record }: Row): EncodedProposal => ({
  index: Number(outer_step),
  outerStep: record as Bytes,
  givesUp: Number(gives_up) === 1,
  sound: Number(sound) === 1,
  deadline: Number(deadline),
});
