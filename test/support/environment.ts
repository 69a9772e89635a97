/** The environment of programs under test. */

/** Where the native runtime is installed: set-up, not behaviour. */
const KEPT = 'GLOCAL_CACHE_DIR';

/** Takes away this product's variables and OpenTelemetry's, so that a test means the same whatever its caller has set. */
export function withoutSettings(): NodeJS.ProcessEnv {
  const names = Object.keys(process.env).filter((name) => /^(GLOCAL|OTEL)_/.test(name) && name !== KEPT);
  return Object.fromEntries(names.map((name) => [name, undefined]));
}
