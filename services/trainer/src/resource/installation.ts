/** Whether the trainer runs from a checkout of the repository or from an installed package, and what mends it there. */

/** A checkout runs TypeScript; Node takes none from `node_modules`, so a package has JavaScript. */
export const IS_INSTALLED = !import.meta.filename.endsWith('.ts');

/** Sets the native runtime up, also where that has failed before. */
export const SET_UP = IS_INSTALLED ? 'npx glocal-trainer setup' : 'npm run setup';

/** Downloads a data set, so that no trial has to. */
export const fetchData = (id: string): string =>
  `${IS_INSTALLED ? 'npx glocal-trainer' : 'npm run trainer --'} data ${id}`;

/** Puts back the dependencies, in the versions that they should have. */
export const REINSTALL = IS_INSTALLED ? 'npm install @glocal/trainer' : 'npm ci';
