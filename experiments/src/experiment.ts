/** What an experiment is: studies to run, how their trials are told apart in its tables, and what else is made of them. */

import type { GlocalClient, ParameterMap, StudySpec } from '@glocal/sdk';
import type { Finished } from './outcome.ts';
import type { Figure } from './report/figure.ts';
import type { Table } from './report/table.ts';

/** As claims ask for, or as little as shows the whole way in ten minutes on two cores. */
export type Size = 'full' | 'quick';

/** One row of a table: a study whose trials differ in their start and their seed alone. Arms of one title share a row. */
export interface Arm {
  /** Unique in the experiment, for instance `fashion-mnist/4000/default`; makes its study be found again. */
  readonly id: string;
  /**
   * What its study is called. Arms that share it, and their settings, are one training whose weights are read out in several ways.
   * @default id
   */
  readonly training?: string;
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
  /** What the columns of the table are told apart by, where it is not the initial learning rate: the peak of a schedule, for instance. */
  readonly start?: number;
  /**
   * Whether its row is a grid, of which somebody takes the best: it costs all of its runs. Otherwise each start is a run of its
   * own that somebody might have made.
   */
  readonly grid?: boolean;
  /** Where its weights are read out. */
  readonly readout: 'last' | 'averaged';
}

/** Rows whose settings another training has to find first, such as the rate that a range test picks. */
export interface LaterArms {
  /** What `--only` finds them by, all together; what their study is called. */
  readonly id: string;
  /** Runs that training, or finds it, and says what follows from it. */
  arms(lab: Lab): Promise<readonly Arm[]>;
}

/** A row of an experiment, or several. */
export type Planned = Arm | LaterArms;

export const isArm = (row: Planned): row is Arm => 'spec' in row;

/** What an experiment has to work with. */
export interface Lab {
  readonly client: GlocalClient;
  readonly size: Size;
  /** How many of each arm, unless it needs fewer. */
  readonly seeds: number;
  /** Folder that is the experiment's own, and there. */
  readonly out: string;
  readonly signal: AbortSignal;
  /** Runs arms, or finds those that have run, and gives them in their order. */
  run(arms: readonly Arm[]): Promise<readonly Finished[]>;
  /** Tells people what is under way. */
  note(text: string): void;
}

/** What came out, beside the accuracies of the arms. */
export interface Findings {
  readonly tables: readonly Table[];
  readonly figures: readonly Figure[];
}

export interface Experiment {
  readonly description: string;
  /** Seeds that a claim asks for, and that a look asks for; without the latter there is no quick form. */
  readonly seeds: { readonly full: number; readonly quick?: number };
  /** Ids of the data sets without which nothing is started; the quick form needs the same unless it says which. */
  readonly datasets: { readonly full: readonly string[]; readonly quick?: readonly string[] };
  /** What the quick form shortens, a sentence each. */
  readonly shortened?: readonly string[];
  /** Whether accuracies of its rows are a table; where they train for different lengths, or from other points each, they are not. @default true */
  readonly comparable?: boolean;
  /** Whether trials must have the machine for themselves, because their times are what is asked for. */
  readonly alone?: boolean;
  /** What runs first; rows that need another training come after all others. */
  arms(lab: Lab): readonly Planned[] | Promise<readonly Planned[]>;
  /** Tables and figures beside those of accuracy. It may run more. */
  analyse?(lab: Lab, finished: readonly Finished[]): Promise<Findings>;
}
