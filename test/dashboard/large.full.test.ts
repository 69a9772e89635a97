/** The dashboard with ten thousand studies, and with a long study of many components, in a real browser. */

import { startDashboard } from '@glocal/dashboard';
import { beforeAll, expect, it } from 'vitest';
import { ensureDashboard } from '../../scripts/steps/dashboard.ts';
import { CHROMIUM, openPage, sayWithoutChromium, startChromium } from '../support/chromium.ts';
import { longStudyOf, manyStudies, roomFor } from '../support/large-studies.ts';
import { TestTrainer } from '../support/trainer.ts';

const STUDIES = 10_000;

/** What runs in the page, of whose types only this is used. */
interface Drawn {
  readonly width: number;
  readonly height: number;
  readonly scrollHeight: number;
  scrollTo(x: number, y: number): void;
}
const scrollToEnd = (element: unknown): void => {
  const rows = element as Drawn;
  rows.scrollTo(0, rows.scrollHeight);
};
const sizeOf = (canvas: unknown): number[] => [(canvas as Drawn).width, (canvas as Drawn).height];

sayWithoutChromium();
beforeAll(() => ensureDashboard(), 300_000);

it.skipIf(CHROMIUM === undefined)(
  'lists ten thousand studies, finds one, and shows the oldest',
  async () => {
    await using trainer = await TestTrainer.start({ store: 'memory:', args: roomFor(STUDIES) });
    await manyStudies(trainer, STUDIES);
    await using dashboard = await startDashboard({
      client: { address: trainer.address },
      listen: '127.0.0.1:0',
    });
    await using browser = await startChromium();
    const { page, faults } = await openPage(browser, dashboard.url);
    await page.getByText('10,000', { exact: true }).waitFor();
    expect(await page.locator('.rows .row').count()).toBeLessThan(60);
    await page.locator('.rows').evaluate(scrollToEnd);
    await page.locator('.rows .row[aria-rowindex="10001"]').waitFor();
    await page.getByRole('button', { name: 'Best loss' }).click();
    await page.getByText('figures still to read').waitFor();
    await page.getByText('figures still to read').waitFor({ state: 'detached' });
    await page.getByRole('searchbox').fill('study 4711');
    await page.getByRole('link', { name: 'study 4711' }).waitFor();
    await page.getByText('1 of 10,000').waitFor();
    expect(faults).toEqual([]);
  },
  900_000,
);

it.skipIf(CHROMIUM === undefined)(
  'draws 400 outer steps with 385 components',
  async () => {
    await using trainer = await TestTrainer.start();
    const study = await longStudyOf(trainer, 400, 385);
    await using dashboard = await startDashboard({
      client: { address: trainer.address },
      listen: '127.0.0.1:0',
    });
    await using browser = await startChromium();
    const { page, faults } = await openPage(browser, `${dashboard.url}${study.name}`);
    await page.locator('[data-ready="400"]').waitFor();
    const heat = page.locator('canvas.heat');
    await heat.waitFor();
    expect(await heat.evaluate(sizeOf)).toEqual([400, 385]);
    await page.getByLabel('One component').selectOption('x/384');
    await page.getByRole('group', { name: 'Hypergradient of x/384' }).waitFor();
    expect(faults).toEqual([]);
  },
  900_000,
);
