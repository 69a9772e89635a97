/**
 * ts-proto has a string key for fields that the contract does not have, and an object under it in every message, whether there are such
 * fields or not. A program that goes through the keys of a message would come upon it, and JSON would have it.
 */

const REPLACEMENTS: readonly (readonly [search: RegExp, replacement: string])[] = [
  // Where a message begins there are none.
  [/,? ?_unknownFields: \{\}(?= \})/g, ''],
  [/^ +_unknownFields: \{\},\n/gm, ''],
  [
    /_unknownFields\?: \{ \[key: number\]: Uint8Array\[\] \} \| undefined;/g,
    '[unknownFields]?: UnknownFields | undefined;',
  ],
  [/const list = message\._unknownFields!\[tag\];/g, 'const list = (message[unknownFields] ??= {})[tag];'],
  [/message\._unknownFields/g, 'message[unknownFields]'],
  // `fromPartial` takes them over.
  [
    /(?<=^ {2}fromPartial<.*\(\w+: I\): \w+ \{\n {4}const message = createBase\w+\(\);\n)/gm,
    '    if ((object as any)[unknownFields] !== undefined) message[unknownFields] = (object as any)[unknownFields];\n',
  ],
  [/(?<=^ {2}fromPartial<.*\()_(?=: I\))/gm, 'object'],
];

const IMPORT = `import { type UnknownFields, unknownFields } from "../../../unknown-fields.ts";\n`;

/**
 * The same code with these fields under the symbol of `proto/unknown-fields.ts`, and only in messages that have some.
 *
 * @param code what ts-proto made of one .proto file, three folders below `proto/`, with `unknownFields=true`
 */
export function keepUnknownFields(code: string): string {
  if (!code.includes('_unknownFields')) return code;
  const changed = REPLACEMENTS.reduce(
    (text, [search, replacement]) => text.replace(search, replacement),
    code,
  );
  if (changed.includes('_unknownFields'))
    throw new Error('ts-proto writes unknown fields in another way now');
  return changed.replace(/^import /m, `${IMPORT}import `);
}
