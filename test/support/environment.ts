/** The environment of programs under test. */

/** Where the native runtime is installed: set-up, not behaviour. */
const KEPT = 'GLOCAL_CACHE_DIR';

/** Takes this product's variables away, so that a test means the same whatever its caller has set. */
export function withoutSettings(): NodeJS.ProcessEnv {
  const names = Object.keys(process.env).filter((name) => name.startsWith('GLOCAL_') && name !== KEPT);
  return Object.fromEntries(names.map((name) => [name, undefined]));
}
