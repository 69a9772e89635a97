/** What the tests of the native runtime's set-up share: a copy of this folder that has a runtime of its own, and wheels. */

import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
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

/** A zip file of uncompressed entries. */
export function zip(contents: Record<string, string>): Buffer {
  const local: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const [name, text] of Object.entries(contents)) {
    // From "version needed" to "extra field length": the same in both headers.
    const shared = Buffer.alloc(26);
    shared.writeUInt16LE(20, 0);
    shared.writeUInt32LE(crc32(text), 10);
    shared.writeUInt32LE(text.length, 14);
    shared.writeUInt32LE(text.length, 18);
    shared.writeUInt16LE(name.length, 22);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(offset, 10);
    const entry = [Buffer.from('PK\x03\x04'), shared, Buffer.from(name), Buffer.from(text)];
    local.push(...entry);
    central.push(Buffer.from('PK\x01\x02\x14\x00'), shared, place, Buffer.from(name));
    offset += Buffer.concat(entry).length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(Object.keys(contents).length, 8);
  end.writeUInt16LE(Object.keys(contents).length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...local, directory, end]);
}
