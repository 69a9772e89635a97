/** Which pictures there are, and how they are written; what draws them is loaded when it is needed. */

import { extname } from 'node:path';

/** Pictures that there are. */
export const PICTURES = {
  schedule: { about: 'hyperparameters while training, and the validation loss', several: true },
  losses: { about: 'training and validation losses', several: true },
  hypergradients: { about: 'local hypergradients of every window, against the glocal ones', several: false },
  spectrum: { about: 'eigenvalues of every window on the unit circle', several: false },
} as const;

export type Picture = keyof typeof PICTURES;

/** What a picture's name may end in. */
export const PICTURE_KINDS = ['.svg', '.png'] as const;

/** Whether its name says how to write a picture there. */
export const isPicture = (path: string): boolean =>
  PICTURE_KINDS.some((kind) => kind === extname(path).toLowerCase());
