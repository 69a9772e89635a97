/** Where the tests of images keep what they need the next time. */

import { join } from 'node:path';
import { root } from '../../scripts/root.ts';

/** Packages, compiled crates, TensorFlow's libraries. */
export const cache = join(root, '.glocal', 'test', 'images');
