/**
 * Program: what LeNet's plain step, its step with three learned hyperparameters and its validation gradient cost here, in
 * JAX and in PyTorch.
 *
 *     python3 -m venv ~/peers
 *     ~/peers/bin/pip install numpy jax torch
 *     node test/bench/peers/run.ts ~/peers/bin/python
 *
 * Python is for this comparison alone; nothing of the product and none of its tests use it. A build of PyTorch without CUDA
 * does as well. One program runs at a time, in turns, with as many threads as it takes by itself. All have the same weights
 * and examples, from a temporary folder, and must agree on losses and hypergradient, so that all compute the same; ours keeps
 * the running average of the weights and the sum of the losses besides.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { execa } from 'execa';
import { parseOrExit } from '../../support/command-line.ts';
import { describeConditions } from '../conditions.ts';
import { median } from '../statistics.ts';
import { type Answer, requireSame, type Task } from './answer.ts';
import { writeProblem } from './problem.ts';

/** Turns of each program. */
const TURNS = 3;
const TASKS = {
  plain: 'plain step',
  learning: 'step, q = 3',
  validation: 'validation gradient',
} satisfies Record<Task, string>;

const command = new Command('node test/bench/peers/run.ts')
  .description('Compares steps and validation gradients of LeNet with JAX and PyTorch.')
  .argument('<python>', 'the interpreter of an environment with numpy, jax and torch');
parseOrExit(command);
const [python = ''] = command.args;

const conditions = describeConditions();
const folder = mkdtempSync(join(tmpdir(), 'glocal-peers-'));
try {
  await writeProblem(folder);
  console.log(table(await takeTurns()));
} finally {
  rmSync(folder, { recursive: true });
}
console.log(
  `\nMilliseconds on the clock and, in brackets, of the processor (all threads): medians.\n${conditions}`,
);

/** Answers of each program, ours first. */
async function takeTurns(): Promise<Answer[][]> {
  const programs = [
    [process.execPath, 'ours.ts'],
    [python, 'lenet_jax.py'],
    [python, 'lenet_torch.py'],
  ] as const;
  const answers: Answer[][] = programs.map(() => []);
  for (let turn = 0; turn < TURNS; turn++) {
    for (const [i, [interpreter, program]] of programs.entries()) {
      process.stderr.write(`turn ${turn + 1} of ${TURNS}: ${program} …\n`);
      const answer = await run(interpreter, program);
      answers[i]?.push(answer);
      requireSame(answer, answers[0]?.[0] as Answer);
    }
  }
  return answers;
}

async function run(interpreter: string, program: string): Promise<Answer> {
  const file = fileURLToPath(new URL(program, import.meta.url));
  const { stdout } = await execa(interpreter, [file, folder], {
    stderr: 'inherit',
    env: { JAX_PLATFORMS: 'cpu', CUDA_VISIBLE_DEVICES: '', PYTHONDONTWRITEBYTECODE: '1' },
  });
  return JSON.parse(stdout);
}

/** In Markdown. */
function table(answers: readonly (readonly Answer[])[]): string {
  const tasks = Object.keys(TASKS) as Task[];
  const lines = answers.map((turns) => {
    const cells = tasks.map((task) => {
      const all = turns.flatMap(({ times }) => times[task]);
      const [clock, processor] = (['clock', 'processor'] as const).map((kind) =>
        median(all.map((took) => took[kind])).toFixed(1),
      );
      return `${clock} (${processor})`;
    });
    return [turns[0]?.name ?? '', ...cells];
  });
  const head = ['', ...tasks.map((task) => TASKS[task])];
  return [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
