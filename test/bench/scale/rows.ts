/** Benchmarks of a fleet: what it survives, what it costs the database, and how it answers with much in the database. */

import { loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { askedBetween, Meter } from '../../scale/meter.ts';
import { measureRecoveries } from '../../scale/recover.ts';
import { accountRows, progressLine, reportLines, statementsPerWindow } from '../../scale/report.ts';
import { runScale, type ScaleResult } from '../../scale/run.ts';
import { TestPostgres } from '../../support/postgres.ts';
import { RoleFleet } from '../../support/role-fleet.ts';
import type { Row } from '../row.ts';
import { createRows } from '../service/calls.ts';
import { benchServer } from '../service/server.ts';
import { median } from '../statistics.ts';
import { readable } from '../table.ts';
import { atSizeRows } from './at-size.ts';

const FEW = 10;
const SERVERS = 2;
const WORKERS = 4;
const SEED = 1;
/** Until a fleet that has nothing to do does nothing but wait. */
const SETTLED_MS = 15_000;
const IDLE_MS = 60_000;
const TOLD_EVERY = 10;
/** As `--lease-seconds`. */
const LEASE_MS = 10_000;
const RECOVERIES = 5;

export interface ScaleSizes {
  /** Trials that a fleet trains while half of it is killed. */
  readonly trials: number;
  /** Trials in the database whose latencies are measured. */
  readonly stored: number;
}

export async function scaleRows({ trials, stored }: ScaleSizes): Promise<Row[]> {
  const log = (line: string) => void process.stderr.write(`  ${line}\n`);
  /** What is measured early is said early: the whole takes an hour. */
  const told = (rows: readonly Row[]) => {
    const load = loadavg()[0]?.toFixed(1);
    for (const { name, value, unit, n } of rows)
      log(`${name} ${readable(value)} ${unit}, n ${n}, load ${load}`);
    return rows;
  };
  const created = told(await createdRows());
  const idle = told([await idleRow()]);
  const recovered = told([await recoverRow()]);
  const atSize = told(await atSizeRows(stored, log));
  const few = await fleet(FEW, 0, log);
  const many = await fleet(trials, 0, log);
  const cost = told(costRows(few, many));
  const killed = told(accountRows(await fleet(trials, 0.5, log)));
  return [...killed, ...recovered, ...cost, ...idle, ...created, ...atSize];
}

function costRows(few: ScaleResult, many: ScaleResult): Row[] {
  const perWindow = { value: statementsPerWindow(many), n: many.windows };
  return [
    {
      name: `scale.control_cost_per_window_${many.trials}_over_${few.trials}_trials`,
      value: perWindow.value / statementsPerWindow(few),
      unit: 'ratio',
      n: many.windows,
    },
    { name: 'scale.statements_per_window', unit: 'count', ...perWindow },
  ];
}

async function fleet(trials: number, killRate: number, log: (line: string) => void): Promise<ScaleResult> {
  let told = 0;
  const result = await runScale({
    ...{ trials, killRate, servers: SERVERS, workers: WORKERS, seed: SEED, onStage: log },
    onProgress: (progress) => {
      if (progress.seconds < told * TOLD_EVERY) return;
      told += 1;
      log(progressLine(progress, trials));
    },
  });
  for (const line of reportLines(result)) log(line);
  return result;
}

/** Studies of outside clients, as on SQLite. A commit waits for the disk. */
async function createdRows(): Promise<Row[]> {
  await using postgres = await TestPostgres.start({ fsync: 'on' });
  await using server = await benchServer(await postgres.newDatabase());
  return await createRows(server.address, '.postgres');
}

/** All that a fleet asks which has nothing to do, its server's share included. */
async function idleRow(): Promise<Row> {
  await using idle = await RoleFleet.start({
    ...{
      servers: 1,
      workers: WORKERS,
      leaseMs: LEASE_MS,
      args: ['--backend', 'cpu'],
      settings: Meter.SETTINGS,
    },
  });
  const meter = await Meter.of(idle.postgres, idle.url);
  await sleep(SETTLED_MS);
  const before = await meter.read();
  const start = performance.now();
  await sleep(IDLE_MS);
  const { statements } = askedBetween(before, await meter.read());
  return {
    name: 'scale.idle_queries_per_s_per_worker',
    value: statements / ((performance.now() - start) / 1_000) / WORKERS,
    unit: '1/s',
    n: statements,
  };
}

/** With a worker that has nothing to do. */
async function recoverRow(): Promise<Row> {
  const times = await measureRecoveries(RECOVERIES, LEASE_MS);
  return { name: 'scale.recover_s', value: median(times) / 1_000, unit: 's', n: times.length };
}
