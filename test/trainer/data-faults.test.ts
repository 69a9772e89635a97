/** Data that is not what it should be: the trial says which file it is, and what was expected. */

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { quickStudy } from '../support/studies.ts';
import { TestTrainer, temporaryFolder } from '../support/trainer.ts';

const EMBEDDED = fileURLToPath(new URL('../../services/trainer/data/fashion-mnist-10k/', import.meta.url));
const IMAGES = 'train-images-idx3-ubyte.gz';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let trainer: TestTrainer;

beforeEach(async () => {
  folder = await temporaryFolder();
  await mkdir(join(folder.path, 'fashion-mnist'));
  trainer = await TestTrainer.start({ env: { GLOCAL_DATA_DIR: folder.path } });
});
afterEach(async () => {
  await trainer[Symbol.asyncDispose]();
  await folder.remove();
});

/** Why a trial on the full set fails when this is its first file. */
async function failureWith(file: Uint8Array): Promise<string> {
  await writeFile(join(folder.path, 'fashion-mnist', IMAGES), file);
  const spec = quickStudy();
  const study = await trainer.client.studies.create({
    ...spec,
    problem: { ...spec.problem, dataset: 'fashion-mnist' },
  });
  const { state, trials } = await study.result();
  expect(state).toBe('FAILED');
  expect(trials[0]).toMatchObject({ state: 'FAILED', outerStepsDone: 0 });
  return trials[0]?.stateReason ?? '';
}

const embedded = async () => gunzipSync(await readFile(join(EMBEDDED, IMAGES)));

describe('a study on a data set of GLOCAL_DATA_DIR', () => {
  it('fails with the file and its sizes when the file is cut off', async () => {
    const whole = await embedded();
    const reason = await failureWith(gzipSync(whole.subarray(0, 1_000_000)));
    expect(reason).toContain(join(folder.path, 'fashion-mnist', IMAGES));
    expect(reason).toMatch(/1000000 bytes|1,000,000/);
    expect(reason).not.toContain('\n');
  });

  it('fails with the file when its compression is cut off', async () => {
    const compressed = await readFile(join(EMBEDDED, IMAGES));
    const reason = await failureWith(compressed.subarray(0, 100_000));
    expect(reason).toContain(join(folder.path, 'fashion-mnist', IMAGES));
    expect(reason).not.toContain('\n');
  });

  it('fails with the file and both sums when the file is another one', async () => {
    const reason = await failureWith(gzipSync(await embedded()));
    expect(reason).toContain(join(folder.path, 'fashion-mnist', IMAGES));
    expect(reason).toMatch(/sha256 [0-9a-f]{64}; expected [0-9a-f]{64}/);
  });

  it('fails with the file and the format when the file is of another kind', async () => {
    const reason = await failureWith(Buffer.from('<html>Not found</html>'));
    expect(reason).toContain(join(folder.path, 'fashion-mnist', IMAGES));
    expect(reason).toMatch(/idx|gz/);
  });

  it('leaves the server fit for the next study', async () => {
    await failureWith(Buffer.from('nothing'));
    const study = await trainer.client.studies.create(quickStudy({ estimator: 'fixed', outerSteps: 1 }));
    expect(await study.result()).toMatchObject({ state: 'COMPLETED' });
  });
});
