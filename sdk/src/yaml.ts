/** Specifications and search spaces as YAML 1.2, for files that people write. */

import { Document, isCollection, isMap, isPair, LineCounter, parseDocument, visit } from 'yaml';
import { GlocalError } from './error.ts';
import { type JsonObject, spaceOfData, spaceToJson, specOfData, specToJson } from './json.ts';
import type { ParameterMap, Space } from './space.ts';
import type { ExternalStudySpec, StudySpec } from './spec.ts';

/**
 * A study's specification as YAML, which {@link specFromYaml} reads. Of a study, too: what the server says of it beside that is
 * left out.
 * @throws GlocalError INVALID_ARGUMENT with everything that is wrong
 */
export const specToYaml = <P extends ParameterMap>(spec: StudySpec<P> | ExternalStudySpec<P>): string =>
  written(specToJson(spec));

/**
 * The specification that YAML text stands for; JSON is YAML, too.
 * @throws GlocalError INVALID_ARGUMENT with everything that is wrong, reason NOT_READABLE with line and column for text that is
 *   no YAML
 */
export const specFromYaml = (text: string): StudySpec | ExternalStudySpec => specOfData(read(text, 'spec'));

/**
 * A search space as YAML: its parameters by name.
 * @throws GlocalError INVALID_ARGUMENT with everything that is wrong
 */
export const spaceToYaml = (space: Space): string => written(spaceToJson(space));

/**
 * The search space that YAML text stands for.
 * @throws GlocalError INVALID_ARGUMENT with everything that is wrong, reason NOT_READABLE with line and column for text that is
 *   no YAML
 */
export const spaceFromYaml = (text: string): Space => spaceOfData(read(text, 'space'));

/** Columns after which lines are broken. */
const WIDTH = 100;

/** What has no collection inside, and is itself inside of one, takes one line if it is short enough. */
function written(data: JsonObject): string {
  const document = new Document(data, { aliasDuplicateObjects: false });
  visit(document, {
    Collection(key, node, path) {
      const values = node.items.map((item) => (isPair(item) ? item.value : item));
      if (key === null || values.some((value) => isCollection(value))) return;
      // With as many quotation marks as in JSON it is longer than in YAML.
      const length = JSON.stringify(node.toJSON()).length + 2 * node.items.length + 2 * path.length;
      if (length <= WIDTH || !isMap(node)) node.flow = true;
    },
  });
  return document.toString({ lineWidth: WIDTH });
}

/** @throws GlocalError INVALID_ARGUMENT, reason NOT_READABLE */
function read(text: string, name: string): unknown {
  if (typeof text !== 'string') throw unreadable(name, ['is not a string']);
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false, stringKeys: true });
  const faults = [...document.errors, ...document.warnings].map(({ pos: [start], message }) => {
    const { line, col } = lineCounter.linePos(start);
    return `line ${line}, column ${col}: ${short(message)}`;
  });
  if (faults.length > 0) throw unreadable(name, faults);
  try {
    return document.toJS();
  } catch (error) {
    // Aliases of anchors that there are not, or far too many of them.
    throw unreadable(name, [error instanceof Error ? error.message : String(error)], error);
  }
}

/** Of a text that is no YAML at all the parser may say very much. */
const MOST_CHARACTERS = 200;
const short = (message: string): string =>
  message.length > MOST_CHARACTERS ? `${message.slice(0, MOST_CHARACTERS)}…` : message;

const unreadable = (field: string, faults: readonly string[], cause?: unknown): GlocalError =>
  GlocalError.invalid(
    'NOT_READABLE',
    faults.map((description) => ({ field, description })),
    cause,
  );
