/** Every page of the dashboard in a real browser, against real services. */

import { readFile } from 'node:fs/promises';
import { type Dashboard, startDashboard } from '@glocal/dashboard';
import { fixed, float, network, type Study, space, vector } from '@glocal/sdk';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureDashboard } from '../../scripts/steps/dashboard.ts';
import { flaws } from '../support/axe.ts';
import { CHROMIUM, openPage, sayWithoutChromium, startChromium } from '../support/chromium.ts';
import { longStudy, quickStudy, training } from '../support/studies.ts';
import { TestTrainer } from '../support/trainer.ts';

sayWithoutChromium();

const cleanUp = new AsyncDisposableStack();
let trainer: TestTrainer;
let dashboard: Dashboard;
let browser: Browser;
let seeds: Study;
let plain: Study;
let vectors: Study;
let driven: Study;
let weights: Study;

const idOf = ({ name }: { readonly name: string }): string => name.replace('studies/', '');
const port = (): string => new URL(dashboard.url).port;

beforeAll(async () => {
  if (CHROMIUM === undefined) return;
  await ensureDashboard();
  trainer = cleanUp.use(await TestTrainer.start());
  dashboard = await startDashboard({ client: { address: trainer.address }, listen: '127.0.0.1:0' });
  cleanUp.defer(() => dashboard.close());
  browser = await startChromium();
  cleanUp.defer(() => browser.close());
  const { studies } = trainer.client;
  seeds = (await studies.create({
    ...quickStudy({ outerSteps: 5, seeds: [1, 2] }),
    displayName: 'two seeds',
  })) as Study;
  plain = (await studies.create({
    ...quickStudy({ estimator: 'fixed', outerSteps: 5 }),
    displayName: 'the baseline',
    labels: { team: 'vision' },
  })) as Study;
  vectors = (await studies.create({
    ...quickStudy({ outerSteps: 2 }),
    displayName: 'vectors',
    space: space({
      lr: vector({ per: 'layer', min: 1e-4, max: 1, init: 0.02, scale: 'log' }),
      momentum: fixed(0.1),
    }),
  })) as Study;
  weights = (await studies.create({
    ...quickStudy({ outerSteps: 2 }),
    displayName: 'weights of examples',
    space: space({ lr: fixed(0.05), momentum: fixed(0.9), reweighting: network({ hiddenUnits: 2 }) }),
  })) as Study;
  driven = (await studies.create({
    ...quickStudy({ outerSteps: 6 }),
    displayName: 'by hand',
    mode: 'driven',
    space: space({ lr: float({ min: 1e-3, max: 1, init: 0.02, scale: 'log' }) }),
  })) as Study;
  // While it waited for a decision, no other trial would run.
  await driven.pause();
  for (const study of [seeds, plain, vectors, weights]) await study.result({ schedules: false });
}, 600_000);
afterAll(() => cleanUp.disposeAsync());

const open = (path: string, options = {}) => openPage(browser, new URL(path, dashboard.url).href, options);

/** Each page, and a sign that it is all there. */
const pages = (): readonly (readonly [path: string, sign: string])[] => [
  ['/', 'the baseline'],
  [`/studies/${idOf(seeds)}?seeds=1`, 'Outer step 5'],
  [`/studies/${idOf(vectors)}`, 'Vectors'],
  [`/studies/${idOf(weights)}`, 'Weight of an example by its loss'],
  [`/studies/${idOf(driven)}/drive`, 'Nobody decides here.'],
  [`/compare?studies=${idOf(seeds)},${idOf(plain)}`, 'is ahead'],
  [`/what-if?study=${idOf(seeds)}&trial=1&step=3&delays=2`, 'Estimates'],
  ['/create', 'Each trial costs about'],
  ['/server', 'DMD service'],
];

describe.skipIf(CHROMIUM === undefined)('every page', () => {
  it.each(['light', 'dark'] as const)(
    'is clean by axe in %s, and breaks nothing',
    async (colorScheme) => {
      for (const [path, sign] of pages()) {
        const { page, faults } = await open(path, { colorScheme });
        await page.getByText(sign).filter({ visible: true }).first().waitFor();
        await page.waitForTimeout(300);
        expect(await flaws(page), path).toEqual([]);
        expect(faults, path).toEqual([]);
        await page.context().close();
      }
    },
    400_000,
  );

  it('fits on a phone', async () => {
    for (const [path, sign] of pages()) {
      const { page } = await open(path, { viewport: { width: 390, height: 800 }, isMobile: true });
      await page.getByText(sign).filter({ visible: true }).first().waitFor();
      const wide = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
      expect(wide, path).toBeLessThanOrEqual(0);
      await page.context().close();
    }
  }, 300_000);

  it('shows a reweighting network as the curve that it is, beside that of the first outer step', async () => {
    const { page } = await open(`/studies/${idOf(weights)}`);
    const curve = page.getByRole('group', { name: 'Weight of an example by its loss' });
    await curve.scrollIntoViewIfNeeded();
    await curve.locator('canvas').waitFor();
    const shown = async (): Promise<(string | undefined)[]> => {
      const text = (await curve.locator('.readout').textContent()) ?? '';
      return ['this outer step', 'the first'].map(
        (name) => new RegExp(`${name} ([\\d.]+) %`).exec(text)?.[1],
      );
    };
    const [now, first] = await shown();
    expect(Number(first)).toBeGreaterThan(0);
    expect(now).not.toBe(first);
    await page.goto(`${dashboard.url}studies/${idOf(weights)}?step=1`);
    await expect.poll(shown, { timeout: 30_000 }).toEqual([first, first]);
    await page.context().close();
  }, 120_000);

  it('is where its address says, in the zone and the colours of whoever looks', async () => {
    const path = `/studies/${idOf(seeds)}?trial=1&step=2`;
    const times: (string | null)[] = [];
    for (const timezoneId of ['Asia/Tokyo', 'America/Los_Angeles']) {
      const { page } = await open(path, { timezoneId });
      await page.getByRole('heading', { name: 'Outer step 2' }).waitFor();
      expect(await page.getByRole('radio', { name: '1', exact: true }).isChecked()).toBe(true);
      times.push(await page.locator('.page-head time').textContent());
      await page.getByLabel('Colours').selectOption('dark');
      await page.reload();
      await page.getByRole('heading', { name: 'Outer step 2' }).waitFor();
      expect(await page.evaluate('document.documentElement.dataset.theme')).toBe('dark');
      await page.context().close();
    }
    expect(times[0]).not.toBe(times[1]);
  }, 120_000);

  it('can be skipped to its content', async () => {
    const { page } = await open('/server');
    await page.getByText('DMD service').waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    expect(await page.evaluate('document.activeElement?.id')).toBe('main');
    await page.context().close();
  }, 60_000);

  it('says what to do where there is nothing, or nobody', async () => {
    for (const [path, text] of [
      ['/studies/nothing', /may have been deleted|is gone/],
      ['/nowhere', 'There is no such page.'],
      [`/studies/${idOf(seeds)}?trial=99`, 'Outer step 5'],
      ['/compare', 'Nothing is chosen yet.'],
      ['/what-if', 'Choose a study that has windows.'],
      ['/?q=nobody-called-it-so', 'No study is like that.'],
    ] as const) {
      const { page } = await open(path);
      await page.getByText(text).filter({ visible: true }).first().waitFor();
      await page.context().close();
    }
    await using empty = await TestTrainer.start({ store: 'memory:' });
    await using other = await startDashboard({
      client: { address: empty.address },
      listen: '127.0.0.1:0',
    });
    const { page } = await openPage(browser, other.url);
    await page.getByText('There are no studies yet.').waitFor();
    await empty.kill();
    await page.getByText('trainer away').waitFor();
    await page.goto(`${other.url}server`);
    await page.getByText('Start the trainer').first().waitFor();
    await page.context().close();
  }, 300_000);

  it('orders studies by what they found', async () => {
    const { page } = await open('/?sort=best.up');
    await page.getByRole('link', { name: 'two seeds' }).waitFor();
    const losses = async (): Promise<number[]> =>
      (await page.locator('.rows .row [role=cell].number:not(.wide)').allTextContents())
        .filter((text) => text !== '–')
        .map(Number);
    await expect.poll(losses, { timeout: 30_000 }).toHaveLength(4);
    const found = await losses();
    expect(found).toEqual(found.toSorted((a, b) => a - b));
    await page.context().close();
  }, 60_000);

  it('asks nobody else for anything', async () => {
    const { page } = await open('/');
    const hosts = new Set<string>();
    page.on('request', (request) => hosts.add(new URL(request.url()).host));
    for (const [path, sign] of pages()) {
      await page.goto(new URL(path, dashboard.url).href);
      await page.getByText(sign).filter({ visible: true }).first().waitFor();
    }
    expect([...hosts]).toEqual([`127.0.0.1:${port()}`]);
    await page.context().close();
  }, 300_000);
});

describe.skipIf(CHROMIUM === undefined)('live', () => {
  it('a study is drawn in two tabs while it trains, and steered in one of them', async () => {
    const study = await trainer.client.studies.create({ ...longStudy(), displayName: 'a long one' });
    await training(study);
    const tabs = [await open(`/studies/${idOf(study)}`), await open(`/studies/${idOf(study)}`)];
    const stepsOf = (page: Page): Promise<number> =>
      page.locator('[data-ready]').getAttribute('data-ready').then(Number);
    const before = await Promise.all(tabs.map(({ page }) => stepsOf(page)));
    await expect
      .poll(async () => Math.min(...(await Promise.all(tabs.map(({ page }) => stepsOf(page))))), {
        timeout: 60_000,
      })
      .toBeGreaterThan(Math.max(...before) + 1);
    const [first, second] = tabs;
    await first?.page.getByRole('button', { name: 'Pause' }).click();
    await second?.page.getByRole('button', { name: 'Resume' }).waitFor();
    await first?.page.getByRole('button', { name: 'Delete' }).click();
    await first?.page.getByRole('button', { name: 'No, leave it' }).click();
    await first?.page.getByRole('button', { name: 'Delete' }).click();
    await first?.page.getByRole('button', { name: 'Delete the study' }).click();
    await second?.page.getByText('This study is gone.').waitFor();
    for (const { page } of tabs) await page.context().close();
  }, 300_000);

  it('goes on after the dashboard was started again, and after the trainer was killed', async () => {
    await using cleanUp = new AsyncDisposableStack();
    const first = await TestTrainer.start();
    const address = first.address;
    let server = await startDashboard({ client: { address }, listen: '127.0.0.1:0' });
    const listen = new URL(server.url).host;
    const study = await first.client.studies.create(longStudy());
    await training(study);
    const { page } = await openPage(browser, `${server.url}studies/${idOf(study)}`);
    const steps = (): Promise<number> => page.locator('[data-ready]').getAttribute('data-ready').then(Number);
    await expect.poll(steps, { timeout: 60_000 }).toBeGreaterThan(1);
    await server.close();
    await page.getByText('dashboard away').waitFor();
    server = await startDashboard({ client: { address }, listen });
    cleanUp.defer(() => server.close());
    await page.getByText('live', { exact: false }).first().waitFor();
    const atDashboard = await steps();
    await expect.poll(steps, { timeout: 60_000 }).toBeGreaterThan(atDashboard + 1);
    await first.kill();
    await page.getByText('trainer away').waitFor();
    const atTrainer = await steps();
    const again = cleanUp.use(
      await TestTrainer.start({
        store: first.store,
        args: ['--listen', address, '--store-wait-seconds', '30'],
      }),
    );
    await expect.poll(steps, { timeout: 120_000 }).toBeGreaterThan(atTrainer + 1);
    // None is missing in between: the strip has a cell for each.
    expect(await page.locator('.strip rect').count()).toBe(await steps());
    expect(again.address).toBe(address);
    await page.context().close();
    await first[Symbol.asyncDispose]();
  }, 400_000);
});

describe.skipIf(CHROMIUM === undefined)('by hand', () => {
  it('a study is made from the form, with the same as a program beside it', async () => {
    const { page } = await open('/create');
    await page.getByLabel('Name').fill('from the form');
    await page.getByLabel('Inner steps').fill('100000');
    await page.getByText("displayName: 'from the form'").waitFor();
    await page.getByRole('textbox', { name: 'Starts at' }).first().fill('5');
    await page.getByText('space.lr.init').waitFor();
    expect(await page.getByRole('button', { name: 'Start the study' }).isDisabled()).toBe(true);
    await page.getByRole('textbox', { name: 'Starts at' }).first().fill('0.02');
    await page.getByText('Each trial costs about').waitFor();
    await page.getByRole('button', { name: 'Start the study' }).click();
    await page.getByRole('heading', { name: 'from the form' }).waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Cancel the study' }).click();
    await page.getByText('cancelled').first().waitFor();
    await page.context().close();
  }, 120_000);

  it('a trial is driven', async () => {
    await driven.resume();
    const { page } = await open(`/studies/${idOf(driven)}/drive`);
    await page.getByRole('button', { name: 'Take over' }).click();
    await page.getByText('Outer step 1 waits for you').waitFor();
    await page.getByLabel('Set lr to').fill('0.03');
    await page.getByRole('button', { name: 'Set these values' }).click();
    await page.getByText('Outer step 2 waits for you').waitFor();
    await page.getByRole('button', { name: 'Accept' }).click();
    await page.getByText('Outer step 3 waits for you').waitFor();
    await page.getByRole('button', { name: 'Leave it' }).click();
    await page.getByRole('button', { name: 'Take over' }).waitFor();
    await driven.pause();
    const steps = await Array.fromAsync(driven.outerSteps());
    expect(steps.map(({ update }) => update?.decision?.action)).toEqual(['set', 'accept']);
    await page.context().close();
  }, 120_000);

  it('the keyboard alone finds a study, looks at an outer step and goes back', async () => {
    const { page } = await open('/');
    await page.getByRole('link', { name: 'two seeds' }).waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('two seeds');
    await page.getByRole('link', { name: 'the baseline' }).waitFor({ state: 'detached' });
    for (
      let i = 0;
      i < 30 && !(await page.evaluate('document.activeElement?.getAttribute("role") === "row"'));
      i++
    )
      await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    const strip = page.getByRole('slider', { name: 'Outer step', exact: true }).first();
    await strip.waitFor();
    const isThere = "document.activeElement?.classList.contains('strip')";
    for (let i = 0; i < 60 && !(await page.evaluate(isThere)); i++) await page.keyboard.press('Tab');
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('ArrowLeft');
    await page.getByRole('heading', { name: 'Outer step 3' }).waitFor();
    expect(new URL(page.url()).searchParams.get('step')).toBe('3');
    await page.goBack();
    await page.getByRole('heading', { name: 'Studies' }).waitFor();
    await page.keyboard.press('?');
    await page.getByRole('heading', { name: 'Keyboard' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('heading', { name: 'Keyboard' }).waitFor({ state: 'detached' });
    await page.context().close();
  }, 120_000);
});

describe.skipIf(CHROMIUM === undefined)('files', () => {
  it('of a comparison have what is drawn', async () => {
    const { page } = await open(`/compare?studies=${idOf(seeds)},${idOf(plain)}&what=averagedLoss`);
    await page.getByText('is ahead').waitFor();
    const file = async (name: string): Promise<Buffer> => {
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.locator('#courses').getByRole('button', { name }).click(),
      ]);
      return readFile(await download.path());
    };
    const rows = String(await file('CSV'))
      .trim()
      .split('\n');
    expect(rows[0]).toBe('inner step,two seeds,the baseline');
    expect(rows).toHaveLength(6);
    expect(String(await file('SVG'))).toContain('<polyline');
    expect((await file('PNG')).subarray(1, 4).toString()).toBe('PNG');
    const [trials] = await Promise.all([
      page.waitForEvent('download'),
      page.locator('#where-trials-started-and-what-came-of-it').getByRole('button', { name: 'SVG' }).click(),
    ]);
    // It has its colours with it.
    const picture = await readFile(await trials.path(), 'utf8');
    expect(picture).toContain('stroke="#');
    expect(picture).not.toContain('var(');
    await page.context().close();
  }, 120_000);
});
