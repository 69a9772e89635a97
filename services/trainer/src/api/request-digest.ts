/** What tells whether a request with an id that was used before asks for the same study. */

import { hash } from 'node:crypto';
import { type Method, OuterOptimizer, Study } from '@glocal/proto/glocal/v1/study';
import type { CompleteStudy, ExternalStudy } from '../resource/complete-study.ts';
import { sortedLabels } from '../study/labels.ts';

/**
 * SHA-256 of a study as it was asked for, without what the server sets: a repeat is the same also when the server's
 * defaults have changed meanwhile.
 */
export function requestDigest(requested: Study): Uint8Array {
  const { displayName, space, problem, training, method, mode, sampling, decisionTimeout, priority } =
    requested;
  const labels = sortedLabels(requested.labels);
  const asked = {
    displayName,
    space,
    problem,
    training,
    method,
    mode,
    sampling,
    decisionTimeout,
    labels,
    priority,
  };
  return sha256(Study.create(asked));
}

/**
 * The digest of stores in which a study was known by what completion had made of the request, of the fields that studies had
 * then.
 */
export function completeDigest(completed: CompleteStudy | ExternalStudy): Uint8Array {
  const { displayName, space, problem, training, method, state } = completed;
  const { dmdAbsence, interval, warmupWindows, warmupWindowSteps, tangentExamples, cost, ...ofThen } = method;
  const { rate, beta1, beta2, epsilon } = method.outer;
  const methodOfThen: Partial<Method> = {
    ...ofThen,
    outer: OuterOptimizer.fromPartial({ rate, beta1, beta2, epsilon }),
  };
  return sha256(Study.fromPartial({ displayName, space, problem, training, method: methodOfThen, state }));
}

const sha256 = (study: Study): Uint8Array => hash('sha256', Study.encode(study).finish(), 'buffer');
