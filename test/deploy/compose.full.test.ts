/** What deploy/compose says is what runs: its services as processes of this machine, with the secrets that its script makes. */

import { join } from 'node:path';
import { execa } from 'execa';
import { expect, it, vi } from 'vitest';
import { hasGo, whereGoIs } from '../support/go.ts';
import { kubernetesTool } from '../support/kubernetes-tools.ts';
import { temporaryFolder } from '../support/trainer.ts';
import { composeFolder } from './compose/services.ts';
import { runInside, whyNotInside } from './inside.ts';

vi.setConfig({ testTimeout: 900_000 });

const where = whyNotInside === undefined ? '' : ` (skipped: ${whyNotInside})`;

it.skipIf(whyNotInside !== undefined)(
  `its services train a study, go on with it when the worker is exchanged, and show pages${where}`,
  async () => {
    const seen = JSON.parse(await runInside(join(import.meta.dirname, 'compose/main.ts'), []));
    expect(seen).toMatchObject({
      ...{ state: 'COMPLETED', outerSteps: 40, attempts: 2, page: 200, restarts: [0, 0, 0, 0] },
      caller: { role: 'ADMIN' },
    });
    expect(seen.doctor).toMatch(/^0 /);
  },
);

it.skipIf(!hasGo)(`is what the specification of Compose allows${whereGoIs}`, async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'compose.yaml');
  await execa('cp', [join(composeFolder, 'compose.yaml'), file]);
  const compose = await kubernetesTool('compose');
  const { stdout } = await execa(compose, ['-format', 'json', file]);
  expect(Object.keys(JSON.parse(stdout).services).sort()).toEqual([
    ...['dashboard', 'dmd', 'postgres', 'server', 'worker'],
  ]);
  const wrong = await execa(compose, ['/dev/stdin'], { input: 'services: {a: {imagee: b}}', reject: false });
  expect(wrong.exitCode).not.toBe(0);
});
