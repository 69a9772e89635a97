/** Ids that sort by the time at which they were made. */

import { randomInt } from 'node:crypto';
import { ulid } from 'ulid';

const FRACTIONS = 2 ** 32;

/** From 0 to below 1. Node draws many at a time; by itself `ulid` asks the system for each of its sixteen characters. */
const random = (): number => randomInt(FRACTIONS) / FRACTIONS;

/** A ULID. */
export const newId = (): string => ulid(undefined, random);
