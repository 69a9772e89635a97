/** Both services, called below the SDK: a trainer with its own DMD service, and a channel to each. */

import { Channel } from './grpc.ts';
import { TestTrainer } from './trainer.ts';

export interface Services extends AsyncDisposable {
  /** To the trainer. */
  readonly studies: Channel;
  /** To the DMD service. */
  readonly dmd: Channel;
}

export async function startServices(): Promise<Services> {
  await using cleanUp = new AsyncDisposableStack();
  const trainer = cleanUp.use(await TestTrainer.start());
  const studies = cleanUp.use(new Channel(trainer.address));
  const dmd = cleanUp.use(new Channel((await trainer.client.serverInfo()).dmdAddress));
  const all = cleanUp.move();
  return { studies, dmd, [Symbol.asyncDispose]: () => all.disposeAsync() };
}
