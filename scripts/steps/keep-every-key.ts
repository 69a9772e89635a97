/** ts-proto has plain objects for maps and Structs, in which an entry with the key `__proto__` is lost. */

const MAPS: readonly (readonly [search: RegExp, replacement: string])[] = [
  // What a message begins with.
  [/(?<=^function createBase\w+\(\): \w+ \{\n(?:[^}]|\{\})*\b\w+: )\{\}(?=[,\s])/gm, 'Object.create(null)'],
  // What `fromPartial` collects entries in.
  [/(?<=return acc;\n {6}\},\n {6})\{\}(?=,\n)/g, 'Object.create(null)'],
  // What a Struct is unwrapped into.
  [/(?<=const object: \{ \[key: string\]: any \} = )\{\}(?=;)/g, 'Object.create(null)'],
];

/**
 * The same code with objects that have no prototype, hence every key that is put into them.
 *
 * @param code what ts-proto made of one .proto file
 */
export const keepEveryKey = (code: string): string =>
  MAPS.reduce((changed, [search, replacement]) => changed.replace(search, replacement), code);
