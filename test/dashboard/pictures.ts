/** Takes the pictures of docs/pictures: trains a few studies and looks at their pages. `node test/dashboard/pictures.ts [folder]` */

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { startDashboard } from '@glocal/dashboard';
import {
  fixed as fixedValue,
  float,
  type Method,
  network as networkWeights,
  type Study,
  space,
  vector,
} from '@glocal/sdk';
import { ensureDashboard } from '../../scripts/steps/dashboard.ts';
import { CHROMIUM, openPage, startChromium } from '../support/chromium.ts';
import { TestTrainer } from '../support/trainer.ts';

if (CHROMIUM === undefined) throw new Error('there is no Chromium on PATH');
const folder = process.argv[2] ?? join(import.meta.dirname, '../../docs/pictures');
await mkdir(folder, { recursive: true });
await ensureDashboard();
await using trainer = await TestTrainer.start();
const { studies } = trainer.client;

const searched = space({
  lr: float({ min: 1e-4, max: 1, init: 0.01, scale: 'log' }),
  momentum: float({ min: 0, max: 1, init: 0.1 }),
  weightDecay: float({ min: 0, max: 1, init: 1e-3 }),
});
const problem = { dataset: 'fashion-mnist-10k', model: 'mlp', optimizer: 'sgd', batchSize: 32 } as const;
const windows = { window: 25, sigma: 20, dmd: { delays: 5 } } as const;
const make = (
  displayName: string,
  method: Method,
  seeds: readonly number[] = [0],
  steps = 400,
): Promise<Study> =>
  studies.create({
    ...{ displayName, space: searched, problem, method },
    labels: { team: 'vision' },
    training: { steps, seeds },
  }) as Promise<Study>;

const fixed = await make('fixed at 0.01', { estimator: 'fixed' });
const local = await make('local hypergradients', { estimator: 'local', window: 25, sigma: 20 });
const glocal = await make('glocal hypergradients', { estimator: 'glocal', ...windows }, [0, 1]);
const layers = await studies.create({
  ...{ displayName: 'a rate for each layer', problem },
  space: space({ lr: vector({ per: 'layer', min: 1e-4, max: 1, init: 0.01, scale: 'log' }) }),
  training: { steps: 400 },
  method: { estimator: 'glocal', ...windows },
});
const network = await studies.create({
  ...{ displayName: 'weights of examples', problem },
  space: space({ lr: fixedValue(0.02), reweighting: networkWeights({ hiddenUnits: 8 }) }),
  training: { steps: 250 },
  method: { estimator: 'glocal', ...windows },
});
for (const study of [fixed, local, glocal, layers, network]) await study.result({ schedules: false });
const running = await make('a longer one', { estimator: 'glocal', ...windows }, [0], 20_000);

await using dashboard = await startDashboard({
  client: { address: trainer.address },
  listen: '127.0.0.1:0',
});
await using browser = await startChromium();
const id = ({ name }: { readonly name: string }): string => name.replace('studies/', '');

interface Picture {
  readonly path: string;
  /** Something that is there when all is. */
  readonly sign: string;
  readonly height?: number;
  readonly scrollTo?: string;
  readonly dark?: boolean;
  readonly width?: number;
}

const pictures: Readonly<Record<string, Picture>> = {
  studies: { path: '/', sign: 'a longer one', height: 500 },
  study: { path: `/studies/${id(glocal)}?step=14`, sign: 'Outer step 14', height: 1500 },
  'study-dark': {
    path: `/studies/${id(glocal)}?step=9`,
    sign: 'Outer step 9',
    scrollTo: '#outer-step-',
    height: 820,
    dark: true,
  },
  vectors: { path: `/studies/${id(layers)}`, sign: 'mean of its entries', scrollTo: '#vectors', height: 420 },
  network: {
    path: `/studies/${id(network)}`,
    sign: 'Weight of an example by its loss',
    scrollTo: '#vectors',
    height: 420,
  },
  compare: {
    path: `/compare?studies=${[fixed, local, glocal].map(id).join(',')}&base=${id(fixed)}`,
    sign: 'is ahead',
    height: 1250,
  },
  'what-if': {
    path: `/what-if?study=${id(glocal)}&step=9&delays=2&sigma=15`,
    sign: 'Estimates',
    height: 900,
  },
  create: { path: '/create', sign: 'Each trial costs about', height: 760 },
  server: { path: '/server', sign: 'DMD service', height: 620 },
  phone: { path: `/studies/${id(glocal)}`, sign: 'Outer step 16', width: 390, height: 800 },
};
for (const [name, { path, sign, width = 1200, height = 800, scrollTo, dark }] of Object.entries(pictures)) {
  const { page } = await openPage(browser, new URL(path, dashboard.url).href, {
    viewport: { width, height },
    ...(dark && { colorScheme: 'dark' }),
  });
  await page.getByText(sign).filter({ visible: true }).first().waitFor();
  if (scrollTo !== undefined)
    await page.evaluate(`document.querySelector('${scrollTo}').scrollIntoView(); scrollBy(0, -60)`);
  await page.waitForTimeout(1_500);
  await page.screenshot({ path: join(folder, `dashboard-${name}.jpg`), type: 'jpeg', quality: 58 });
  await page.context().close();
}
await running.cancel();
