/** What runs while faults happen, and what must hold of it in the end. */

import type { GlocalClient } from '@glocal/sdk';

/** Something that must not have happened, for people. */
export interface Finding {
  readonly kind: 'lost' | 'doubled' | 'diverged' | 'illegal';
  readonly text: string;
}

/** What came of a run of a workload. */
export interface Outcome {
  readonly trials: number;
  readonly outerSteps: number;
  readonly findings: readonly Finding[];
}

/** A study that is made, followed to its end, and compared with one that nothing disturbed. */
export interface Workload {
  readonly name: string;
  /**
   * Runs once. @param fragile told whether a trial of it has lost its process since its last outer step.
   * @param disturbed whether faults happen; a run without becomes what later ones are compared with.
   */
  run(client: GlocalClient, options: RunOptions): Promise<Outcome>;
}

export interface RunOptions {
  readonly disturbed: boolean;
  readonly signal: AbortSignal;
  readonly fragile: (isFragile: boolean) => void;
}
