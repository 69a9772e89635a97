/** How long things take, side by side. */

export interface Rounds {
  /** Rounds before the measured ones, in which caches fill and code is compiled. */
  readonly warmUp: number;
  /** Measured rounds. */
  readonly measured: number;
}

/** What one call took, in milliseconds. */
export interface Took {
  readonly clock: number;
  /** Of all of this process's threads. */
  readonly processor: number;
}

/** What each task took in each measured round. They take turns, so that a busy machine slows all of them. */
export function takingTurns<K extends string>(
  { warmUp, measured }: Rounds,
  tasks: Readonly<Record<K, () => void>>,
): Record<K, Took[]> {
  const names = Object.keys(tasks) as K[];
  const all = Object.fromEntries(names.map((name) => [name, [] as Took[]])) as Record<K, Took[]>;
  for (let round = 0; round < warmUp + measured; round++) {
    for (const name of names) {
      const took = timed(tasks[name]);
      if (round >= warmUp) all[name].push(took);
    }
  }
  return all;
}

/** Milliseconds on the clock of each task in each measured round. */
export function interleaved<K extends string>(
  rounds: Rounds,
  tasks: Readonly<Record<K, () => void>>,
): Record<K, number[]> {
  const all = takingTurns(rounds, tasks);
  const clocks = Object.entries<Took[]>(all).map(([name, took]) => [name, took.map(({ clock }) => clock)]);
  return Object.fromEntries(clocks) as Record<K, number[]>;
}

function timed(task: () => void): Took {
  const processorBefore = process.cpuUsage();
  const clockBefore = performance.now();
  task();
  const clock = performance.now() - clockBefore;
  const { user, system } = process.cpuUsage(processorBefore);
  return { clock, processor: (user + system) / 1e3 };
}
