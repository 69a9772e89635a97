/** The chart's alerts and its dashboard for Grafana ask only for figures that the services export, by labels that these have. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DmdServiceService } from '@glocal/proto/glocal/v1/dmd';
import { TrialState } from '@glocal/proto/glocal/v1/study';
import { trialStateName } from '@glocal/trainer/testing';
import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { startDmd } from '../support/dmd.ts';
import { Channel } from '../support/grpc.ts';
import { deadAddress } from '../support/ports.ts';
import { rejection } from '../support/rejection.ts';
import { longStudy, quickStudy, training } from '../support/studies.ts';
import { TestTrainer } from '../support/trainer.ts';
import { CHART } from './manifests.ts';
import { parseQuery } from './promql.ts';

/** Prometheus gives them to everything that it reads from a pod. */
const OF_TARGETS = ['namespace', 'pod', 'container', 'job', 'instance', 'endpoint', 'service'];

interface Panel {
  readonly title: string;
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}
const read = (file: string): string => readFileSync(join(CHART, 'monitoring', file), 'utf8');
const { panels } = JSON.parse(read('dashboard.json')) as { panels: readonly Panel[] };
const targets = panels.flatMap(({ title, targets = [] }) => targets.map((target) => ({ title, ...target })));
interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}
const alerts = (parse(read('alerts.yaml')) as { groups: { rules: Alert[] }[] }).groups.flatMap(
  ({ rules }) => rules,
);

/** Labels of each figure that was seen, and their values. */
const exported = new Map<string, Map<string, Set<string>>>();

function note(text: string): void {
  for (const line of text.split('\n')) {
    const [, name, labels = ''] = /^(\w+)(?:\{(.*)\})? \S+$/.exec(line) ?? [];
    if (name === undefined) continue;
    const known = exported.get(name) ?? new Map<string, Set<string>>();
    exported.set(name, known);
    for (const [, label = '', value = ''] of labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) {
      known.set(label, (known.get(label) ?? new Set()).add(value));
    }
  }
}

const cleanUp = new AsyncDisposableStack();
beforeAll(async () => {
  const [ofTrainer, ofDmd] = [await deadAddress(), await deadAddress()];
  const scrape = async () => {
    for (const address of [ofTrainer, ofDmd]) {
      note(await (await fetch(`http://${address}/metrics`)).text());
    }
  };
  const dmd = await startDmd({ args: ['--metrics-listen', ofDmd] });
  cleanUp.defer(() => dmd.stop());
  const args = ['--dmd-address', dmd.address, '--metrics-listen', ofTrainer];
  const { client } = cleanUp.use(await TestTrainer.start({ args }));
  await (await client.studies.create(quickStudy())).result();
  const study = await client.studies.create(longStudy());
  await training(study);
  // Its memory is looked at once a second.
  await vi.waitUntil(
    async () => {
      await scrape();
      return exported.get('glocal_trainer_training_process_memory_bytes')?.size === 1;
    },
    { timeout: 120_000, interval: 200 },
  );
  await study.cancel();
  using channel = new Channel(dmd.address);
  const spec = { rows: 600, components: 1, options: undefined, priorNorms: [], scales: undefined };
  const refused = channel.unary(DmdServiceService.analyzeWindow, {
    spec,
    hypergradients: Buffer.alloc(4_800),
  });
  await rejection(refused);
  await scrape();
}, 300_000);
afterAll(() => cleanUp.disposeAsync());

const states = Object.values(TrialState)
  .filter((state) => typeof state === 'number')
  .map((state) => trialStateName(state));
/** What may be asked for by a label, beyond what was seen: what there is only when something goes wrong. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  state: states,
  outcome: states,
  code: Object.keys(status),
};

/** What is wrong with a query; nothing when all is there. */
function faultsOf(query: string): string[] {
  const { selectors, grouping } = parseQuery(query);
  const faults = selectors.flatMap(({ name, matchers }) => {
    const labels = exported.get(name);
    if (labels === undefined) return [`nothing exports ${name}`];
    return matchers.flatMap(({ label, values }) => {
      if (OF_TARGETS.includes(label)) return [];
      const known = [...(labels.get(label) ?? []), ...(labels.has(label) ? (VALUES[label] ?? []) : [])];
      return values
        .filter((value) => !known.includes(value))
        .map((value) => `${name} has no ${label} ${value}`);
    });
  });
  const labels = selectors.flatMap(({ name }) => [...(exported.get(name)?.keys() ?? [])]);
  const unknown = grouping.filter((label) => !OF_TARGETS.includes(label) && !labels.includes(label));
  return [...faults, ...unknown.map((label) => `nothing of it has ${label}`)];
}

const namesOf = (query: string): string[] => parseQuery(query).selectors.map(({ name }) => name);

describe('the dashboard', () => {
  it.each(targets)('asks in "$title" for what there is: $expr', ({ expr, legendFormat }) => {
    const query = expr.replaceAll('$__rate_interval', '5m');
    expect(faultsOf(query)).toEqual([]);
    const { grouping } = parseQuery(query);
    const shown = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label);
    expect(shown.filter((label) => label === undefined || !grouping.includes(label))).toEqual([]);
  });

  it('shows every figure of the services, but those of Node itself', () => {
    const asked = targets.flatMap(({ expr }) => namesOf(expr.replaceAll('$__rate_interval', '5m')));
    const ours = [...exported.keys()].filter(
      (name) => !/^glocal_trainer_(process|nodejs)_|_(sum|count)$/.test(name),
    );
    expect(ours.filter((name) => !asked.includes(name))).toEqual([]);
  });
});

describe('an alert', () => {
  it.each(alerts)('$alert asks for what there is', ({ expr }) => {
    expect(faultsOf(expr)).toEqual([]);
  });

  it.each(alerts)('$alert says how bad it is, and what to do', ({ labels, annotations }) => {
    expect(labels.severity).toMatch(/^(critical|warning|info)$/);
    expect(annotations.summary).toBeTruthy();
    expect(annotations.description).toBeTruthy();
  });

  it.each(alerts)('$alert shows only labels that are left', ({ expr, annotations }) => {
    const shown = [
      ...Object.values(annotations)
        .join()
        .matchAll(/\$labels\.(\w+)/g),
    ].map(([, label]) => label);
    const { grouping } = parseQuery(expr);
    expect(shown.filter((label) => label === undefined || !grouping.includes(label))).toEqual([]);
  });
});
