/** Going in with a token, and out again, in a real browser. */

import { startDashboard } from '@glocal/dashboard';
import { GlocalClient } from '@glocal/sdk';
import { spawnTrainer } from '@glocal/trainer';
import { expect, it } from 'vitest';
import { ensureDashboard } from '../../scripts/steps/dashboard.ts';
import { flaws } from '../support/axe.ts';
import { CHROMIUM, openPage, sayWithoutChromium, startChromium } from '../support/chromium.ts';
import { withoutSettings } from '../support/environment.ts';
import { SecurityFiles } from '../support/security.ts';
import { longStudy } from '../support/studies.ts';
import { temporaryFolder } from '../support/trainer.ts';

sayWithoutChromium();

it.skipIf(CHROMIUM === undefined)(
  'a token lets in, is nowhere to be read, and is forgotten when one says so',
  async () => {
    await ensureDashboard();
    await using cleanUp = new AsyncDisposableStack();
    const files = await SecurityFiles.make(cleanUp.use(await temporaryFolder()).path);
    const token = await files.token('ann');
    const trainer = await spawnTrainer({
      args: ['--store', 'memory:', ...files.tokens()],
      env: withoutSettings(),
    });
    cleanUp.defer(() => trainer.stop());
    const client = cleanUp.use(new GlocalClient({ address: trainer.address, token }));
    const study = await client.studies.create({ ...longStudy(), displayName: 'of ann' });
    await study.pause();
    const dashboard = await startDashboard({
      client: { address: trainer.address },
      listen: '127.0.0.1:0',
      login: true,
    });
    cleanUp.defer(() => dashboard.close());
    const browser = cleanUp.use(await startChromium());
    const path = `studies/${study.name.replace('studies/', '')}?trial=0`;
    for (const colorScheme of ['light', 'dark'] as const) {
      const { page, faults } = await openPage(browser, `${dashboard.url}${path}`, { colorScheme });
      const urls: string[] = [];
      page.on('request', (request) => urls.push(request.url()));
      await page.getByRole('heading', { name: 'Who are you?' }).waitFor();
      expect(await flaws(page)).toEqual([]);
      await page.getByLabel('Token').fill('no-such-token');
      await page.getByRole('button', { name: 'Go in' }).click();
      await page.getByText('The trainer does not take this token.').waitFor();
      await page.getByLabel('Token').fill(token);
      await page.keyboard.press('Enter');
      // Where the address led to from the beginning.
      await page.getByRole('heading', { name: 'of ann' }).waitFor();
      expect(page.url()).toBe(`${dashboard.url}${path}`);
      const readable = await page.evaluate<string>('document.cookie + JSON.stringify({ ...localStorage })');
      expect([readable, ...urls].join('\n')).not.toContain(token);
      const [cookie] = await page.context().cookies();
      expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict' });
      await page.getByRole('link', { name: 'Server' }).click();
      await page.getByText('ann', { exact: true }).waitFor();
      await page.getByRole('button', { name: 'Forget my token here' }).click();
      await page.getByRole('heading', { name: 'Who are you?' }).waitFor();
      expect(await page.context().cookies()).toEqual([]);
      expect(faults).toEqual([]);
      await page.context().close();
    }
  },
  300_000,
);
