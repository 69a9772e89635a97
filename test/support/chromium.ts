/** A real browser: Debian's Chromium, or one that `GLOCAL_TEST_CHROMIUM` names. */

import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** The program, where there is one. */
export const CHROMIUM: string | undefined =
  process.env.GLOCAL_TEST_CHROMIUM ??
  (process.env.PATH ?? '')
    .split(delimiter)
    .flatMap((folder) => NAMES.map((name) => join(folder, name)))
    .find((path) => existsSync(path));

/** Said once where tests are skipped. */
export function sayWithoutChromium(): void {
  if (CHROMIUM === undefined)
    console.warn('skipped: there is no Chromium on PATH (Debian: apt-get install chromium)');
}

/** Starts it. Pages are this machine's own, so that it needs no sandbox, which containers do not permit. */
export async function startChromium(): Promise<Browser> {
  return chromium.launch({
    ...(CHROMIUM !== undefined && { executablePath: CHROMIUM }),
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
  });
}

/** A page, with all that went wrong on it: errors, and what its policy refused. */
export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<{ readonly page: Page; readonly faults: readonly string[] }> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('console', (message) => {
    // A request that fails is told of on the page; here it is noise.
    if (message.type() === 'error' && !/Failed to load resource|ERR_/.test(message.text()))
      faults.push(message.text());
  });
  await page.goto(url);
  return { page, faults };
}
