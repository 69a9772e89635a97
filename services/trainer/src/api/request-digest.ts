/** What tells whether a request with an id that was used before asks for the same study. */

import { createHash } from 'node:crypto';
import { Study } from '@glocal/proto/glocal/v1/study';
import type { CompleteStudy, ExternalStudy } from '../resource/complete-study.ts';

/**
 * SHA-256 of a study as it was asked for, without what the server sets: a repeat is the same also when the server's
 * defaults have changed meanwhile.
 */
export function requestDigest(requested: Study): Uint8Array {
  const { displayName, space, problem, training, method, mode } = requested;
  return sha256(Study.create({ displayName, space, problem, training, method, mode }));
}

/** The digest of stores in which a study was known by what completion had made of the request. */
export const completeDigest = (completed: CompleteStudy | ExternalStudy): Uint8Array => sha256(completed);

const sha256 = (study: Study): Uint8Array =>
  createHash('sha256').update(Study.encode(study).finish()).digest();
