/** Optuna's TPE in a Python of the user's: it is no dependency of this project. */

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('tpe.py', import.meta.url));

/** Names a Python that has Optuna. It is no setting of a service, which refuses those of `GLOCAL_` that it does not know. */
export const PYTHON_VARIABLE = 'EXPERIMENT_PYTHON';

/** Bounds of each parameter, all on a log scale. */
export type LogSpace = Readonly<Record<string, readonly [low: number, high: number]>>;

/** Why there is no TPE here; undefined where there is. */
export async function tpeMissing(): Promise<string | undefined> {
  const child = spawn(python(), ['-c', 'import optuna'], { stdio: 'ignore' });
  const code = await new Promise((resolve) => {
    child.once('error', () => resolve(undefined));
    child.once('close', resolve);
  });
  if (code === 0) return undefined;
  return `TPE is left out: ${python()} has no Optuna. \`pip install optuna\` in an environment, and name its Python in ${PYTHON_VARIABLE}.`;
}

const python = (): string => process.env[PYTHON_VARIABLE] ?? 'python3';

/** A sampler that is asked and told. */
export class Tpe implements AsyncDisposable {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;

  constructor(seed: number, space: LogSpace) {
    this.#child = spawn(python(), [PROGRAM], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    this.#write({ seed, space });
  }

  /** The next point to try. @throws Error when the program has ended */
  async ask(): Promise<Readonly<Record<string, number>>> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error('the program of TPE has ended; what it said is above');
    return JSON.parse(value);
  }

  /** What the point gave, less is better; undefined where it failed. */
  tell(value: number | undefined): void {
    this.#write({ value: value ?? null });
  }

  #write(message: unknown): void {
    this.#child.stdin.write(`${JSON.stringify(message)}\n`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin.end();
    if (this.#child.exitCode === null) await once(this.#child, 'close');
  }
}
