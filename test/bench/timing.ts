/** How long things take, side by side. */

export interface Rounds {
  /** Rounds before the measured ones, in which caches fill and code is compiled. */
  readonly warmUp: number;
  /** Measured rounds. */
  readonly measured: number;
}

/** Milliseconds of each task in each measured round. They take turns, so that a busy machine slows all of them. */
export function interleaved<K extends string>(
  { warmUp, measured }: Rounds,
  tasks: Readonly<Record<K, () => void>>,
): Record<K, number[]> {
  const names = Object.keys(tasks) as K[];
  const times = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<K, number[]>;
  for (let round = 0; round < warmUp + measured; round++) {
    for (const name of names) {
      const start = performance.now();
      tasks[name]();
      if (round >= warmUp) times[name].push(performance.now() - start);
    }
  }
  return times;
}
