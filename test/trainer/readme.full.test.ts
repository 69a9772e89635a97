/** The program on the first screen of the SDK's README, as it stands, with the real trainer. */

import { it } from 'vitest';
import { expectReadmeProgram } from '../examples/programs.ts';
import { TestTrainer } from '../support/trainer.ts';

it("the README's program tunes a network and prints its schedule", { timeout: 300_000 }, async () => {
  await using trainer = await TestTrainer.start();
  await expectReadmeProgram(trainer.address);
});
