/** Benchmarks of the dashboard: what its page weighs, how soon there is something to see, and what it costs who trains. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { startDashboard } from '@glocal/dashboard';
import type { Browser, Page } from 'playwright-core';
import { ensureDashboard } from '../../scripts/steps/dashboard.ts';
import { CHROMIUM, sayWithoutChromium, startChromium } from '../support/chromium.ts';
import { longStudyOf, manyStudies, roomFor } from '../support/large-studies.ts';
import { longStudy } from '../support/studies.ts';
import { Tab } from '../support/tab.ts';
import { TestTrainer } from '../support/trainer.ts';
import { type Row, timeRow } from './row.ts';
import { median, percentile } from './statistics.ts';

const STUDIES = 10_000;
const OUTER_STEPS = 400;
const REPEATS = 7;
const TABS = 20;

/** All rows; without Chromium those that need no browser. */
export async function dashboardRows(): Promise<Row[]> {
  await ensureDashboard();
  sayWithoutChromium();
  const rows = [weightRow()];
  if (CHROMIUM !== undefined) {
    await using browser = await startChromium();
    rows.push(await firstPaintRow(browser));
    rows.push(await studyReadyRow(browser, 'dashboard.study_ready_ms', 3));
    rows.push(await studyReadyRow(browser, 'dashboard.study_ready_q385_ms', 385));
    rows.push(await eventRow(browser));
  }
  rows.push(await slowdownRow());
  return rows;
}

/** `dashboard.js_kb`: all scripts of the page, compressed; one page needs a part of them. */
function weightRow(): Row {
  const folder = join(import.meta.dirname, '../../dashboard/dist/page/assets');
  const scripts = readdirSync(folder).filter((file) => file.endsWith('.js'));
  const bytes = scripts.reduce((sum, file) => sum + gzipSync(readFileSync(join(folder, file))).length, 0);
  return { name: 'dashboard.js_kb', value: bytes / 1e3, unit: 'kB', n: 1 };
}

/**
 * Milliseconds from the start of a navigation until an element is there and painted, in a browser that has the scripts.
 * @param selector of that element
 */
async function painted(browser: Browser, url: string, selector: string): Promise<number[]> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const times: number[] = [];
  for (let repeat = -1; repeat < REPEATS; repeat++) {
    const page = await context.newPage();
    const time = await readyTime(page, url, selector);
    if (repeat >= 0) times.push(time);
    await page.close();
  }
  await context.close();
  return times;
}

/** `dashboard.first_paint_ms`: rows of the list of studies, of which there are 10,000. */
async function firstPaintRow(browser: Browser): Promise<Row> {
  await using trainer = await TestTrainer.start({ store: 'memory:', args: roomFor(STUDIES) });
  await manyStudies(trainer, STUDIES);
  await using dashboard = await startDashboard({
    client: { address: trainer.address },
    listen: '127.0.0.1:0',
  });
  return timeRow('dashboard.first_paint_ms', await painted(browser, dashboard.url, '.rows .row a'));
}

/** Until all charts of a study with 400 outer steps are drawn; each time anew from a dashboard that has read nothing. */
async function studyReadyRow(browser: Browser, name: string, components: number): Promise<Row> {
  await using trainer = await TestTrainer.start();
  const { name: path } = await longStudyOf(trainer, OUTER_STEPS, components);
  const sign =
    components > 3 ? `[data-ready="${OUTER_STEPS}"] canvas.heat` : `[data-ready="${OUTER_STEPS}"] canvas`;
  const times: number[] = [];
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    await using dashboard = await startDashboard({
      client: { address: trainer.address },
      listen: '127.0.0.1:0',
    });
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
    // The scripts are there, as in a tab that was open; of the study nothing is.
    const page = await context.newPage();
    await page.goto(`${dashboard.url}server`);
    await page.close();
    times.push(await readyTime(await context.newPage(), `${dashboard.url}${path}`, sign));
    await context.close();
  }
  return timeRow(name, times);
}

async function readyTime(page: Page, url: string, selector: string): Promise<number> {
  await page.addInitScript(`
    const look = () => document.querySelector(${JSON.stringify(selector)})
      ? requestAnimationFrame(() => setTimeout(() => { globalThis.paintedAt = performance.now(); }))
      : requestAnimationFrame(look);
    look();`);
  await page.goto(url);
  await until(page, 'globalThis.paintedAt !== undefined');
  return page.evaluate<number>('globalThis.paintedAt');
}

/** Waits for something in a page, whose policy lets no text be a program: not playwright's own waiting either. */
async function until(page: Page, expression: string): Promise<void> {
  const end = Date.now() + 60_000;
  while (!(await page.evaluate<boolean>(expression))) {
    if (Date.now() > end) throw new Error(`it never was so: ${expression}`);
    await page.waitForTimeout(20);
  }
}

/** `dashboard.event_to_pixel_ms`: from the moment that the trainer stored an outer step until the page has drawn it; 95th percentile. */
async function eventRow(browser: Browser): Promise<Row> {
  await using trainer = await TestTrainer.start();
  await using dashboard = await startDashboard({
    client: { address: trainer.address },
    listen: '127.0.0.1:0',
  });
  const study = await trainer.client.studies.create(longStudy());
  const page = await browser.newPage();
  await page.addInitScript(`
    globalThis.drawn = {};
    const look = () => {
      const steps = document.querySelector('[data-ready]')?.getAttribute('data-ready');
      if (steps && !(steps in globalThis.drawn)) globalThis.drawn[steps] = Date.now();
      requestAnimationFrame(look);
    };
    look();`);
  await page.goto(`${dashboard.url}${study.name}`);
  await until(page, 'Object.keys(globalThis.drawn).length > 1');
  const from = Math.max(
    ...Object.keys(await page.evaluate<Record<string, number>>('globalThis.drawn')).map(Number),
  );
  const stored = new Map<number, number>();
  for await (const event of study.watch()) {
    if (event.type !== 'outerStep') continue;
    stored.set(event.index, event.time.getTime());
    if (event.index >= from + 100) break;
  }
  await until(page, `Object.keys(globalThis.drawn).some((steps) => Number(steps) >= ${from + 100})`);
  await study.cancel();
  const drawn = await page.evaluate<Record<string, number>>('globalThis.drawn');
  await page.close();
  // Steps that came while a frame was drawn are in the next one, with those after them.
  const frames = Object.entries(drawn).map(([steps, time]) => [Number(steps), time] as const);
  const times = [...stored].flatMap(([index, time]) => {
    if (index <= from) return [];
    const seen = frames.filter(([steps]) => steps >= index).map(([, at]) => at);
    return seen.length === 0 ? [] : [Math.min(...seen) - time];
  });
  return { name: 'dashboard.event_to_pixel_ms', value: percentile(times, 0.95), unit: 'ms', n: times.length };
}

/** `dashboard.training_slowdown_20_tabs`: time of an outer step with the streams of twenty tabs open on its study, over without. */
async function slowdownRow(): Promise<Row> {
  await using trainer = await TestTrainer.start();
  await using dashboard = await startDashboard({
    client: { address: trainer.address },
    listen: '127.0.0.1:0',
  });
  const study = await trainer.client.studies.create(longStudy());
  const paces: Record<'alone' | 'watched', number[]> = { alone: [], watched: [] };
  const pace = async (): Promise<number[]> => {
    const times: number[] = [];
    const { outerStepsDone } = await study.trial();
    for await (const event of study.watch()) {
      if (event.type !== 'outerStep' || event.index <= outerStepsDone + 2) continue;
      times.push(event.time.getTime());
      if (times.length > 25) break;
    }
    return times.slice(1).map((time, i) => time - (times[i] ?? 0));
  };
  await pace();
  for (let repeat = 0; repeat < 4; repeat++) {
    paces.alone.push(...(await pace()));
    const tabs = Array.from({ length: TABS }, () => new Tab(dashboard.url).messages(`study=${study.name}`));
    const reading = tabs.map(async (messages) => {
      for await (const _ of messages);
    });
    paces.watched.push(...(await pace()));
    await dashboardLeft(tabs, reading);
  }
  await study.cancel();
  return {
    name: 'dashboard.training_slowdown_20_tabs',
    value: median(paces.watched) / median(paces.alone),
    unit: 'ratio',
    n: paces.watched.length,
  };
}

/** All tabs close their streams. */
async function dashboardLeft(
  tabs: readonly AsyncGenerator<unknown, void, undefined>[],
  reading: readonly Promise<void>[],
): Promise<void> {
  // A stream that waits for its next message ends with that.
  for (const messages of tabs) void messages.return();
  await Promise.allSettled(reading);
}
