/** Whether the trainer runs from a checkout of the repository or from an installed package, and what mends it there. */

/** A checkout runs TypeScript; Node takes none from `node_modules`, so a package has JavaScript. */
export const IS_INSTALLED = !import.meta.filename.endsWith('.ts');

/** Sets the native runtime up, also where that has failed before. */
export const SET_UP = IS_INSTALLED ? 'npx glocal-trainer setup' : 'npm run setup';

/** Puts back the dependencies, in the versions that they should have. */
export const REINSTALL = IS_INSTALLED ? 'npm install @glocal/trainer' : 'npm ci';
