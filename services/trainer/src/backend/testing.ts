/** What the tests of the native runtime's set-up share: a copy of this folder that has a runtime of its own. */

import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { tfjsNodeFolder } from './native-runtime.ts';

const COMPILED = ['lib', 'deps'];
/** What this folder imports of others. */
const INSTALLATION = 'resource/installation.ts';

/** A checkout with nothing but this folder and the dependencies, of which @tensorflow/tfjs-node is a copy. */
export class Checkout implements Disposable {
  readonly root = mkdtempSync(join(tmpdir(), 'glocal-checkout-'));
  readonly #backend = join(this.root, 'backend');
  readonly tfjsNode = join(this.root, 'node_modules', '@tensorflow', 'tfjs-node');

  constructor() {
    cpSync(import.meta.dirname, this.#backend, { recursive: true });
    cpSync(join(import.meta.dirname, '..', INSTALLATION), join(this.root, INSTALLATION));
    const scope = dirname(tfjsNodeFolder());
    this.#link(dirname(scope), 'node_modules', ['@tensorflow']);
    this.#link(scope, 'node_modules/@tensorflow', ['tfjs-node']);
    cpSync(tfjsNodeFolder(), this.tfjsNode, {
      recursive: true,
      filter: (path) => !COMPILED.some((name) => path === join(tfjsNodeFolder(), name)),
    });
  }

  #link(from: string, to: string, without: readonly string[]): void {
    mkdirSync(join(this.root, to), { recursive: true });
    for (const name of readdirSync(from).filter((entry) => !without.includes(entry))) {
      symlinkSync(join(from, name), join(this.root, to, name));
    }
  }

  /** Runs a program of the copied folder; its lines on standard error, and whether it ended well. */
  async run(program: string, env: NodeJS.ProcessEnv = {}, args: readonly string[] = []) {
    const result = await execa(process.execPath, [join(this.#backend, program), ...args], {
      env,
      reject: false,
    });
    return { succeeded: result.exitCode === 0, lines: result.stderr.split('\n').filter(Boolean) };
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
