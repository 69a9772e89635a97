/** Other packages use the trainer by its public entries: `src/public/`, one file each, and the program itself. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { manifest, root, trackedFiles } from './repository.ts';

const TRAINER = 'services/trainer';
const exported = Object.entries(manifest(TRAINER).exports ?? {});

describe("the trainer's public entries", () => {
  it('are the files of src/public, the program and the manifest', () => {
    const files = readdirSync(join(root, TRAINER, 'src/public')).map((file) => `./src/public/${file}`);
    expect(exported.map(([, file]) => file).sort()).toEqual(
      [...files, './src/main.ts', './package.json'].sort(),
    );
  });

  it('are all that other packages import', () => {
    const outside = trackedFiles().filter(
      (path) =>
        /\.(ts|mjs|md)$/.test(path) && !path.startsWith(`${TRAINER}/`) && existsSync(join(root, path)),
    );
    const named = exported.map(([name]) => `@glocal/trainer${name.slice(1)}`);
    const wrong = outside.flatMap((path) => {
      const text = readFileSync(join(root, path), 'utf8');
      const imported = [...text.matchAll(/(?:from|import\(|resolve\()\s*'([^']+)'/g)].map(
        ([, name = '']) => name,
      );
      return imported
        .filter(
          (name) =>
            name.includes(`${TRAINER}/src`) || (/^@glocal\/trainer\b/.test(name) && !named.includes(name)),
        )
        .map((name) => `${path} imports ${name}`);
    });
    expect(wrong).toEqual([]);
  });
});
