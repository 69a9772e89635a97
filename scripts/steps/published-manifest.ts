/** Manifests of packages as they are published. */

/** The fields of a package.json that matter here. */
export interface Manifest {
  readonly private?: boolean;
  readonly scripts?: unknown;
  readonly devDependencies?: unknown;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly publishConfig?: Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

/** What npm itself reads of `publishConfig`. */
const OF_NPM = ['access', 'provenance'];
/** Its code is put into whatever uses it. */
const CONTRACT = '@glocal/proto';

/**
 * The manifest of a package from that of its sources: fields in `publishConfig` take the place of those beside it, as pnpm
 * has it, and what only a checkout needs is gone.
 */
export function publishedManifest({
  private: _private,
  scripts: _scripts,
  devDependencies: _devDependencies,
  publishConfig = {},
  ...kept
}: Manifest): Manifest {
  const entries = Object.entries(publishConfig);
  const { [CONTRACT]: _contract, ...dependencies } = kept.dependencies ?? {};
  return {
    ...kept,
    ...Object.fromEntries(entries.filter(([field]) => !OF_NPM.includes(field))),
    dependencies,
    publishConfig: Object.fromEntries(entries.filter(([field]) => OF_NPM.includes(field))),
  };
}

/**
 * The manifest of a dependency that comes inside a package: npm runs nothing of it.
 *
 * @param needs those of its dependencies that what is left of it imports
 */
export function withoutScripts(
  {
    scripts: _scripts,
    gypfile: _gypfile,
    devDependencies: _devDependencies,
    dependencies = {},
    ...kept
  }: Manifest,
  needs: readonly string[],
): Manifest {
  const used = Object.entries(dependencies).filter(([name]) => needs.includes(name));
  return { ...kept, dependencies: Object.fromEntries(used) };
}
