import { globSync, readFileSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { manifest, packageFolders, root } from './repository.ts';

const dependents = ['@tensorflow/tfjs-node', '@tensorflow/tfjs-backend-cpu', '@tensorflow/tfjs-backend-wasm'];

test('there is one copy of tfjs-core, and every backend finds it', () => {
  const trainer = createRequire(join(root, 'services/trainer/package.json'));
  const found = [
    trainer,
    ...dependents.map((name) => createRequire(realpathSync(trainer.resolve(`${name}/package.json`)))),
  ].map((from) => realpathSync(from.resolve('@tensorflow/tfjs-core/package.json')));
  const copies = globSync(
    '{.,sdk,cli,proto,demo,experiments,test,services/*}/node_modules/{,**/node_modules/}@tensorflow/tfjs-core',
    {
      cwd: root,
    },
  );
  expect(new Set(found).size).toBe(1);
  expect(copies).toHaveLength(1);
});

test.each(packageFolders())('package "%s" states its licence', (folder) => {
  expect(manifest(folder).license).toBe('Apache-2.0');
});

test('the Rust crates share one licence', () => {
  expect(readFileSync(join(root, 'Cargo.toml'), 'utf8')).toContain('license = "Apache-2.0"');
  for (const file of globSync('services/*/{,*/}Cargo.toml', { cwd: root }))
    expect(readFileSync(join(root, file), 'utf8'), file).toMatch(
      /^license(\.workspace = true|\.workspace=true| = )/m,
    );
});

test.each(packageFolders())('the lockfile knows the dependencies of package "%s"', (folder) => {
  const lock: { packages: Record<string, unknown> } = JSON.parse(
    readFileSync(join(root, 'package-lock.json'), 'utf8'),
  );
  const { dependencies = {}, devDependencies = {} } = manifest(folder);
  expect(lock.packages[folder]).toMatchObject({
    ...(Object.keys(dependencies).length > 0 && { dependencies }),
    ...(Object.keys(devDependencies).length > 0 && { devDependencies }),
  });
});
