/** What happens to a study, as server-sent events. */

import type { ParameterMap, Study, StudyEvent, WatchOptions } from '@glocal/sdk';
import { errorBody } from './errors.ts';

/**
 * The events of a study, from its creation or after a cursor: `study`, `trial`, `outerStep` and `progress`. The last one is `end`,
 * at which a browser closes its EventSource, or `failure`.
 */
export async function* serverSentEvents<P extends ParameterMap>(
  study: Study<P>,
  options: WatchOptions & { readonly signal: AbortSignal },
): AsyncGenerator<string, void, undefined> {
  try {
    for await (const event of study.watch(options)) yield message(event.type, told(event), event.cursor);
    yield message('end', { state: study.state, reason: study.stateReason });
  } catch (error) {
    // Nobody is there any more to tell.
    if (!options.signal.aborted) yield message('failure', errorBody(error));
  }
}

/** JSON has no line breaks, which would end `data`. */
function message(type: string, data: object, id?: string): string {
  const head = id === undefined ? '' : `id: ${id}\n`;
  return `${head}event: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** What a page shows of an event; windows and spectra are for those who look closer. */
function told<P extends ParameterMap>(event: StudyEvent<P>): object {
  switch (event.type) {
    case 'outerStep': {
      const { step, values, nextValues, trainLoss, validation, verdict } = event;
      return { step, values, nextValues, trainLoss, validation, verdict };
    }
    case 'progress':
      return { stepsDone: event.stepsDone, steps: event.steps };
    case 'study':
    case 'trial':
      return { state: event.state, reason: event.stateReason };
    case 'snapshot':
      return { missedEvents: event.missedEvents };
  }
}
