/** The dashboard in a real browser, in short: a study trains, and its page shows it. */

import { startDashboard } from '@glocal/dashboard';
import { beforeAll, expect, it } from 'vitest';
import { ensureDashboard } from '../../scripts/steps/dashboard.ts';
import { CHROMIUM, openPage, sayWithoutChromium, startChromium } from '../support/chromium.ts';
import { quickStudy } from '../support/studies.ts';
import { TestTrainer } from '../support/trainer.ts';

sayWithoutChromium();
beforeAll(() => ensureDashboard(), 300_000);

it.skipIf(CHROMIUM === undefined)(
  'lists a study that was made meanwhile, and draws it',
  async () => {
    await using trainer = await TestTrainer.start();
    await using dashboard = await startDashboard({
      client: { address: trainer.address },
      listen: '127.0.0.1:0',
    });
    await using browser = await startChromium();
    const { page, faults } = await openPage(browser, dashboard.url);
    await page.getByText('There are no studies yet.').waitFor();
    await trainer.client.studies.create({ ...quickStudy(), displayName: 'a small one' });
    await page.getByRole('link', { name: 'a small one' }).click();
    await page.getByText('completed').first().waitFor();
    await page.getByRole('heading', { name: 'Outer step 3' }).waitFor();
    const plots = await page.locator('.plot').all();
    expect(plots.length).toBeGreaterThan(4);
    for (const plot of plots) {
      await plot.scrollIntoViewIfNeeded();
      await plot.locator('canvas').waitFor();
    }
    expect(faults).toEqual([]);
  },
  180_000,
);
