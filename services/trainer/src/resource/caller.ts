/** Who calls, and what they may do. */

import { type Caller, Role } from '@glocal/proto/glocal/v1/study_service';
import { characters, printable } from './quote.ts';

/** Where the server does not ask who its callers are: each may do all, and nothing has an owner. */
export const ANYBODY: Readonly<Caller> = { owner: '', role: Role.ADMIN };

/** Whether a caller may do what a role is needed for. Roles are numbered so that each may what those before it may. */
export const mayAct = ({ role }: Readonly<Caller>, needed: Role): boolean => role >= needed;

/** Whether everybody's resources are there for the caller. */
export const mayKnowAll = (caller: Readonly<Caller>): boolean => mayAct(caller, Role.ADMIN);

/** Whether what belongs to `owner` is there for the caller at all. */
export const mayKnow = (caller: Readonly<Caller>, owner: string): boolean =>
  mayKnowAll(caller) || caller.owner === owner;

/** Whose resources a list has for the caller: undefined for everybody's. */
export const listedOwner = (caller: Readonly<Caller>): string | undefined =>
  mayKnowAll(caller) ? undefined : caller.owner;

const ROLES = { read: Role.READ, write: Role.WRITE, admin: Role.ADMIN } as const;

/** What people call a role. */
export type RoleName = keyof typeof ROLES;

/** All of them, each after those whose rights it includes. */
export const ROLE_NAMES = Object.keys(ROLES) as [RoleName, ...RoleName[]];

/** The role of this name, undefined when there is none. */
export const roleNamed = (name: string): Role | undefined =>
  Object.hasOwn(ROLES, name) ? ROLES[name as RoleName] : undefined;

export const nameOfRole = (role: Role): string => ROLE_NAMES.find((name) => ROLES[name] === role) ?? 'none';

/** Whether it can stand for somebody: 1 to 200 characters, all of them visible but for spaces between them. */
export const isOwner = (text: string): boolean =>
  text !== '' && characters(text) <= 200 && printable(text) === text && text.trim() === text;
