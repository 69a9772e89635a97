/** What programs use that bring their own trainer: start it, and learn how it ended. */

export {
  type Ending,
  ServerChild,
  type ServerChildOptions,
  ServerStartError,
} from '../process/server-child.ts';
export { spawnTrainer, type TrainerOptions } from '../spawn.ts';
