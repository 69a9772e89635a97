/** docs/operations.md says what each alert means and what to do, and of no others. */

import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parse } from 'yaml';

const root = join(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'docs/operations.md'), 'utf8');

interface Rules {
  readonly groups: readonly { readonly rules: readonly { readonly alert?: string }[] }[];
}

it('has a row for each alert of the chart', () => {
  const { groups } = parse(readFileSync(join(root, 'deploy/chart/monitoring/alerts.yaml'), 'utf8')) as Rules;
  const alerts = groups.flatMap(({ rules }) => rules.flatMap(({ alert }) => alert ?? []));
  const rows = [...page.matchAll(/^\| `(Glocal\w+)` \|/gm)].map(([, name]) => name);
  expect(alerts.length).toBeGreaterThan(0);
  expect(rows.sort()).toEqual(alerts.sort());
});

it('names units and folders that there are', () => {
  const named = [...page.matchAll(/\.\.\/(deploy\/[\w/.-]+)/g)].map(([, path = '']) => path);
  for (const path of named) expect(globSync(path, { cwd: root }), path).not.toEqual([]);
  const units = globSync('deploy/systemd/*.service', { cwd: root }).map((path) =>
    path.replace(/.*\/|\.service/g, ''),
  );
  for (const unit of units) expect(page).toContain(unit);
});
