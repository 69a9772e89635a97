/** The experiments that there are. */

import { defaults, defaultsChoice, defaultsLength, defaultsShort, defaultsWide } from './defaults.ts';
import type { Experiment } from './experiment.ts';

export const EXPERIMENTS: Readonly<Record<string, Experiment>> = {
  defaults,
  'defaults-wide': defaultsWide,
  'defaults-short': defaultsShort,
  'defaults-length': defaultsLength,
  'defaults-choice': defaultsChoice,
};
