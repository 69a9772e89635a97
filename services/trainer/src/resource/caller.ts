/** Who calls, and what they may do. */

import { type Caller, Role } from '@glocal/proto/glocal/v1/study_service';

/** Where the server does not ask who its callers are: each may do all, and nothing has an owner. */
export const ANYBODY: Readonly<Caller> = { owner: '', role: Role.ADMIN };

/** Whether a caller may do what a role is needed for. Roles are numbered so that each may what those before it may. */
export const mayAct = ({ role }: Readonly<Caller>, needed: Role): boolean => role >= needed;

/** Whether what belongs to `owner` is there for the caller at all. */
export const mayKnow = ({ owner: own, role }: Readonly<Caller>, owner: string): boolean =>
  role >= Role.ADMIN || own === owner;

/** Whose resources a list has for the caller: undefined for everybody's. */
export const listedOwner = ({ owner, role }: Readonly<Caller>): string | undefined =>
  role >= Role.ADMIN ? undefined : owner;
