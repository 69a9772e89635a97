/**
 * Which Rust module uses which, read from `use` lines and from paths in the code. A name that a module re-exports counts
 * for the module that it comes from. Tests within a file are left out.
 */

/** Sources by the path of their module, as `server::config`; the crate's root is ''. */
export type Modules = ReadonlyMap<string, string>;

/** For each module, those that it uses, in order. */
export type Imports = ReadonlyMap<string, string[]>;

export function importsOf(modules: Modules): Imports {
  const parsed = new Map([...modules].map(([name, source]) => [name, parse(source)]));
  /** The module in which the last name of a path is defined, if that is within the crate. */
  const definedIn = (path: readonly string[], at = ''): string | undefined => {
    const [next, ...rest] = path;
    const child = at === '' ? `${next}` : `${at}::${next}`;
    if (next === undefined) return at;
    if (parsed.has(child)) return definedIn(rest, child);
    const exported = parsed.get(at)?.exports.get(next);
    if (exported === undefined) return at === '' ? undefined : at;
    return definedIn(absolute(exported, at, parsed) ?? [], '');
  };
  return new Map(
    [...parsed].map(([name, { paths }]) => {
      const targets = paths.map((path) => {
        const full = absolute(path, name, parsed);
        return full === undefined ? undefined : definedIn(full);
      });
      const others = targets.filter((target) => target !== undefined && target !== name && target !== '');
      return [name, [...new Set(others as string[])].sort()];
    }),
  );
}

/** Groups of modules each of which uses all others of its group, directly or not. */
export function circles(imports: Imports): string[][] {
  const reached = new Map([...imports.keys()].map((name) => [name, reach(imports, name)]));
  const groups = [...imports.keys()]
    .filter((name) => reached.get(name)?.has(name))
    .map((name) =>
      [...imports.keys()].filter((other) => reached.get(name)?.has(other) && reached.get(other)?.has(name)),
    );
  return [...new Set(groups.map((group) => group.sort().join(' ')))].map((group) => group.split(' '));
}

function reach(imports: Imports, from: string): Set<string> {
  const found = new Set<string>();
  const waiting = [...(imports.get(from) ?? [])];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (found.has(name)) continue;
    found.add(name);
    waiting.push(...(imports.get(name) ?? []));
  }
  return found;
}

interface Parsed {
  /** Paths that the source uses, as they stand there. */
  readonly paths: string[][];
  /** Re-exported names with the path that each stands for. */
  readonly exports: ReadonlyMap<string, string[]>;
}

function parse(source: string): Parsed {
  const code = source
    .replace(/pub\(in [^)]*\)/g, 'pub')
    .replace(/#\[cfg\(test\)\][^;{]*\bmod \w+ \{[\s\S]*$/, '')
    .replace(/\/\/.*$/gm, '');
  const paths: string[][] = [];
  const exports = new Map<string, string[]>();
  const rest = code.replace(
    /(pub(?:\([^)]*\))? )?use ([^;]+);/g,
    (_, exported: string | undefined, tree: string) => {
      for (const { path, name } of leaves(tree)) {
        paths.push(path);
        if (exported !== undefined) exports.set(name, path);
      }
      return '';
    },
  );
  for (const [path] of rest.matchAll(/\b[a-z_]\w*(?:::\w+)+/g)) paths.push(path.split('::'));
  return { paths, exports };
}

/** The paths of a tree like `a::{self, b::C as D}`. */
function leaves(tree: string, prefix: readonly string[] = []): { path: string[]; name: string }[] {
  const text = tree.trim();
  const group = /^((?:\w+::)*)\{([\s\S]*)\}$/.exec(text);
  if (group !== null) {
    const before = [...prefix, ...(group[1] ?? '').split('::').filter(Boolean)];
    return parts(group[2] ?? '').flatMap((part) => leaves(part, before));
  }
  const [whole = '', alias] = text.split(/\s+as\s+/);
  const names = whole.split('::');
  const path = [...prefix, ...names];
  if (prefix.length > 0 && names[0] === 'self') path.splice(prefix.length, 1);
  return [{ path, name: alias ?? path.at(-1) ?? '' }];
}

/** Splits at the commas outside braces. */
function parts(list: string): string[] {
  const found = [''];
  let depth = 0;
  for (const letter of list) {
    if (letter === '{') depth++;
    if (letter === '}') depth--;
    if (letter === ',' && depth === 0) found.push('');
    else found[found.length - 1] += letter;
  }
  return found.filter((part) => part.trim() !== '');
}

/** A path from the crate's root on; undefined for one that leads to another crate. */
function absolute(
  path: readonly string[],
  from: string,
  modules: ReadonlyMap<string, unknown>,
): string[] | undefined {
  const here = from.split('::').filter(Boolean);
  const [first = '', ...rest] = path;
  if (first === 'crate') return rest;
  if (first === 'self') return [...here, ...rest];
  if (first === 'super') {
    const up = path.findIndex((name) => name !== 'super');
    const levels = up === -1 ? path.length : up;
    return [...here.slice(0, here.length - levels), ...path.slice(levels)];
  }
  return modules.has([...here, first].join('::')) ? [...here, ...path] : undefined;
}
