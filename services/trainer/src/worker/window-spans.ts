/** In the training process: a span for each window, below that of the attempt. */

import { Verdict } from '@glocal/proto/glocal/v1/dmd';
import { Estimator, type OuterStep, type Study } from '@glocal/proto/glocal/v1/study';
import { enumName } from '../resource/enum-name.ts';
import type { Attributes, Span, TraceContext, Tracing } from '../tracing/tracing.ts';

export class WindowSpans {
  readonly #tracing: Tracing;
  readonly #attempt: TraceContext | undefined;
  readonly #attributes: Attributes;
  #window: Span | undefined;

  /** @param attempt undefined where nobody told of its span. */
  constructor(tracing: Tracing, attempt: TraceContext | undefined, { name, method }: Study, trial: string) {
    this.#tracing = tracing;
    this.#attempt = attempt;
    this.#attributes = {
      'glocal.study': name,
      'glocal.trial': trial,
      'glocal.estimator': enumName(Estimator, method?.estimator ?? Estimator.UNRECOGNIZED),
    };
  }

  /** Of the window that is being trained. */
  get current(): TraceContext | undefined {
    return this.#window?.context;
  }

  /** @param outerStep index of the outer step that the window ends with. */
  begin(outerStep: number): void {
    this.#window = this.#tracing.begin('glocal.window', {
      parent: this.#attempt,
      attributes: { ...this.#attributes, 'glocal.outer_step': outerStep },
    });
  }

  settled({ step, report, update }: OuterStep): void {
    this.#window?.set({
      'glocal.steps_done': step,
      ...(report !== undefined && { 'glocal.window.verdict': enumName(Verdict, report.verdict) }),
      ...(update !== undefined && { 'glocal.update.fell_back': update.fellBack }),
    });
    this.#end();
  }

  /** Sends the spans. One that is open was not finished. */
  async close(): Promise<void> {
    this.#end('the window was not finished');
    await this.#tracing.close();
  }

  #end(problem?: string): void {
    this.#window?.end(problem);
    this.#window = undefined;
  }
}
