/** `glocal study`: making, seeing and steering studies. */

import { Command } from 'commander';
import { compare } from './study-compare.ts';
import { create } from './study-create.ts';
import { get, list } from './study-read.ts';
import { cancel, deleteStudy, pause, resume } from './study-steer.ts';
import { watch } from './study-watch.ts';

export const study = (): Command =>
  [create, list, get, watch, pause, resume, cancel, deleteStudy, compare].reduce(
    (group, command) => group.addCommand(command()),
    new Command('study').description('make, see and steer studies'),
  );
