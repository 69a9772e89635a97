/** A watcher that comes back with its cursor after every fault. */

import { StudyServiceService as Api, type StudyEvent } from '@glocal/proto/glocal/v1/study_service';
import type { Channel } from '../support/grpc.ts';
import { Patience } from './patience.ts';

/** Stored events, until the study has ended. Progress is left out. @throws ServiceError */
export async function* watchPatiently(
  channel: Channel,
  name: string,
  signal: AbortSignal,
): AsyncGenerator<StudyEvent, void, undefined> {
  let cursor = '';
  const patience = new Patience(signal);
  for (;;) {
    try {
      for await (const message of channel.open(Api.watchStudy, { name, cursor, maxLag: 0 })) {
        signal.throwIfAborted();
        if (message.event?.$case === 'progress') continue;
        cursor = message.cursor;
        patience.renew();
        yield message;
      }
      return;
    } catch (error) {
      await patience.bear(error);
    }
  }
}
