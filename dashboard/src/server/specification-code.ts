/** A specification as the program that creates it. */

import { type ExternalStudySpec, type Json, type JsonObject, type StudySpec, specToJson } from '@glocal/sdk';

type Code = string;

/** TypeScript that creates the study with the SDK. */
export function specificationCode(spec: StudySpec | ExternalStudySpec): Code {
  const { space, ...rest } = specToJson(spec);
  const used = new Set<string>();
  const parameters = parametersCode(space as JsonObject, used, 2);
  const imports = ['GlocalClient', 'space', ...used].sort((a, b) => a.localeCompare(b));
  const order = ['displayName', 'labels', 'mode', 'decisionTimeout', 'space', 'problem', 'training'];
  const fields = Object.entries({ ...rest, space: '' })
    .toSorted(([a], [b]) => at(order, a) - at(order, b))
    .map(([key, value]) => `  ${key}: ${key === 'space' ? `space(${parameters})` : valueCode(value, 1)},`);
  return [
    `import { ${imports.join(', ')} } from '@glocal/sdk';`,
    '',
    'await using client = await GlocalClient.connect();',
    '',
    'const study = await client.studies.create({',
    ...fields,
    '});',
    'const { best } = await study.result();',
    '',
  ].join('\n');
}

const at = (order: readonly string[], key: string): number =>
  order.includes(key) ? order.indexOf(key) : order.length;

function parametersCode(parameters: JsonObject, used: Set<string>, depth: number): Code {
  const lines = Object.entries(parameters).map(
    ([name, data]) => `${indent(depth)}${keyCode(name)}: ${parameterCode(data, used, depth)},`,
  );
  return lines.length === 0 ? '{}' : `{\n${lines.join('\n')}\n${indent(depth - 1)}}`;
}

/** As its function makes it; `data` is what `spaceToJson` writes. */
function parameterCode(data: Json, used: Set<string>, depth: number): Code {
  const call = (name: string, ...args: readonly Code[]): Code => {
    used.add(name);
    return `${name}(${args.join(', ')})`;
  };
  if (typeof data === 'number') return call('fixed', valueCode(data, depth));
  if (Array.isArray(data)) {
    const isNames = data.every((value) => typeof value === 'string');
    return call(isNames ? 'categorical' : 'discrete', valueCode(data, depth));
  }
  const { kind, ...options } = data as JsonObject;
  const rest = (...without: readonly string[]): readonly Code[] => {
    const left = Object.entries(options).filter(([key]) => !without.includes(key));
    return left.length === 0 ? [] : [valueCode(Object.fromEntries(left), depth)];
  };
  switch (kind) {
    case 'fixed':
      return call('fixed', valueCode(options.value ?? 0, depth), ...rest('value'));
    case 'bool':
      return call('bool');
    case 'discrete':
      return call('discrete', valueCode(options.values ?? [], depth));
    case 'categorical': {
      const { values, children } = options;
      const branches = (children ?? values ?? {}) as JsonObject;
      if (Array.isArray(values) && children === undefined)
        return call('categorical', valueCode(values, depth));
      const lines = Object.entries(branches).map(
        ([name, inner]) =>
          `${indent(depth + 1)}${keyCode(name)}: ${parametersCode(inner as JsonObject, used, depth + 2)},`,
      );
      return call('categorical', `{\n${lines.join('\n')}\n${indent(depth)}}`);
    }
    default:
      return call(String(kind), ...rest());
  }
}

const indent = (depth: number): Code => '  '.repeat(depth);
const keyCode = (key: string): Code => (/^[A-Za-z_$][\w$]*$/.test(key) ? key : `'${key}'`);

/** In one line, unless there are objects in it. */
function valueCode(value: Json, depth: number): Code {
  if (typeof value === 'string') return `'${value.replace(/[\\']/g, '\\$&').replaceAll('\n', '\\n')}'`;
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value)) return `[${value.map((inner) => valueCode(inner, depth)).join(', ')}]`;
  const entries = Object.entries(value).map(
    ([key, inner]) => `${keyCode(key)}: ${valueCode(inner as Json, depth + 1)}`,
  );
  const line = `{ ${entries.join(', ')} }`;
  if (entries.length === 0) return '{}';
  if (line.length <= 80 && !line.includes('\n')) return line;
  return `{\n${entries.map((entry) => `${indent(depth + 1)}${entry},`).join('\n')}\n${indent(depth)}}`;
}
