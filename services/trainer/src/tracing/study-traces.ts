/** Which call made a study: what trains its trials later is in the trace of that call. */

import type { TraceContext } from './tracing.ts';

/** The studies made last; a study that is forgotten, as by a restart, has its attempts in traces of their own. */
const MAX_STUDIES = 10_000;

export class StudyTraces {
  readonly #contexts = new Map<string, TraceContext>();

  remember(study: string, context: TraceContext): void {
    this.#contexts.set(study, context);
    const [oldest] = this.#contexts.keys();
    if (this.#contexts.size > MAX_STUDIES && oldest !== undefined) this.#contexts.delete(oldest);
  }

  of(study: string): TraceContext | undefined {
    return this.#contexts.get(study);
  }
}
