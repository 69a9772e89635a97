/** What an experiment is: studies to run, and how their trials are told apart in its tables. */

import type { ParameterMap, StudySpec } from '@glocal/sdk';

/** One row of a table: a study whose trials differ in their start and their seed alone. */
export interface Arm {
  /** Unique in the experiment, for instance `fashion-mnist/4000/default`; makes its study be found again. */
  readonly id: string;
  /** Which table it is in. */
  readonly table: string;
  /** What the table calls it. */
  readonly title: string;
  /** Without seeds, which the command line chooses. */
  readonly spec: Omit<StudySpec<ParameterMap>, 'training'> & {
    readonly training: { readonly steps: number };
  };
  /** Where it claims nothing, and one is enough. */
  readonly seeds?: number;
  /** Of the schedule that its rate follows, where it does not start from some. */
  readonly peak?: number;
  /** Where its weights are read out. */
  readonly readout: 'last' | 'averaged';
}

export interface Experiment {
  readonly description: string;
  readonly arms: readonly Arm[];
  /** Seeds that a claim asks for. */
  readonly seeds: number;
}
