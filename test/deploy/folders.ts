/** Where the tests of images keep what they need the next time. */

import { join } from 'node:path';

export const root = join(import.meta.dirname, '../..');

/** Packages, compiled crates, TensorFlow's libraries. */
export const cache = join(root, '.glocal', 'test', 'images');
