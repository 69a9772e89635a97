/** Messages of the contract made from its descriptors: any field unset, typical, or at an edge. */

import {
  create,
  type DescField,
  type DescMessage,
  type MessageInitShape,
  ScalarType,
  toBinary,
} from '@bufbuild/protobuf';
import fc from 'fast-check';

/** A message as `create` takes it. */
type Init = Readonly<Record<string, unknown>>;

/** How deep messages in messages go. */
const DEPTH = 6;
const INT32 = 2 ** 31 - 1;

const numbers = (least: number, most: number) => fc.constantFrom(0, 1, 2, 3, 8, 20, 100, least, most);
const bigints = (least: bigint, most: bigint) => fc.constantFrom(0n, 1n, 600n, least, most);
const reals = fc.constantFrom(0, 0.1, 0.5, 1, -1, 1e-300, 1e300, Number.NaN, Number.POSITIVE_INFINITY);

/** @param texts that mean something to the service. */
function scalar(type: ScalarType, texts: readonly string[]): fc.Arbitrary<unknown> {
  switch (type) {
    case ScalarType.STRING:
      return fc.oneof(
        { weight: 6, arbitrary: fc.constantFrom('', ...texts) },
        fc.string({ unit: 'grapheme', maxLength: 80 }),
      );
    case ScalarType.BYTES:
      return fc.uint8Array({ maxLength: 40 });
    case ScalarType.BOOL:
      return fc.boolean();
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return reals;
    case ScalarType.UINT32:
      return numbers(4, 2 ** 32 - 1);
    case ScalarType.INT64:
      return bigints(-(2n ** 63n), 2n ** 63n - 1n);
    case ScalarType.UINT64:
      return bigints(7n, 2n ** 64n - 1n);
    default:
      return numbers(-INT32 - 1, INT32);
  }
}

/** The value of a field that is set. */
function valueOfField(
  field: DescField,
  texts: readonly string[],
  base: unknown,
  depth: number,
): fc.Arbitrary<unknown> {
  const single = (): fc.Arbitrary<unknown> => {
    if (field.enum !== undefined) {
      const known = field.enum.values.map(({ number }) => number);
      return fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...known) }, fc.constantFrom(-1, 99, INT32));
    }
    if (field.message !== undefined) return initOf(field.message, texts, base as Init | undefined, depth - 1);
    // Mostly the names of resources that there are.
    const names = texts.filter((text) => text.includes('/'));
    const isName = ['name', 'parent', 'trial'].includes(field.name) && names.length > 0;
    return isName
      ? fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...names) }, scalar(ScalarType.STRING, texts))
      : scalar(field.scalar ?? ScalarType.INT32, texts);
  };
  switch (field.fieldKind) {
    case 'list':
      return Array.isArray(base) && field.message !== undefined
        ? fc.tuple(...base.map((one) => initOf(field.message as DescMessage, texts, one as Init, depth - 1)))
        : fc.array(single(), { maxLength: 3 });
    case 'map':
      return fc.dictionary(fc.constantFrom('', 'team', 'é'), single(), { maxKeys: 2 });
    default:
      return single();
  }
}

/** A field of a oneof that is set, as `create` takes it. */
interface Choice {
  readonly case: string;
  readonly value: unknown;
}

/** Mostly what was set before, with changes in it. */
function choiceOf(
  fields: readonly DescField[],
  texts: readonly string[],
  before: Choice | undefined,
  depth: number,
): fc.Arbitrary<Choice> {
  const set = (field: DescField, value: unknown) =>
    valueOfField(field, texts, value, depth).map((made) => ({ case: field.localName, value: made }));
  const any = fc.oneof(...fields.map((field) => set(field, undefined)));
  const same = fields.find(({ localName }) => localName === before?.case);
  if (same === undefined) return any;
  return fc.oneof({ weight: 12, arbitrary: set(same, before?.value) }, any);
}

/**
 * A message of this kind.
 * @param base what most of its fields are taken from; without it most are not set.
 */
function initOf(
  message: DescMessage,
  texts: readonly string[],
  base: Init | undefined,
  depth: number,
): fc.Arbitrary<Init> {
  if (depth <= 0) return fc.constant(base ?? {});
  const members = message.members.map((member): fc.Arbitrary<Init> => {
    const key = member.localName;
    const before = base?.[key];
    const kept = fc.constant<Init>(before === undefined ? {} : { [key]: before });
    const other = (
      member.kind === 'oneof'
        ? choiceOf(member.fields, texts, before as Choice | undefined, depth)
        : valueOfField(member, texts, before, depth)
    ).map((value) => ({ [key]: value }));
    // What holds messages is gone into; of what does not, one in a while is another.
    const isOuter = before !== undefined && (member.kind === 'oneof' || member.message !== undefined);
    const weight = isOuter ? 1 : base === undefined ? 2 : 24;
    return fc.oneof({ weight, arbitrary: kept }, { weight: isOuter ? 3 : 1, arbitrary: other });
  });
  return fc.tuple(...members).map((parts) => Object.assign({}, ...parts) as Init);
}

/** Messages of this kind as they are sent. */
export const encodedMessages = (
  message: DescMessage,
  texts: readonly string[],
  base?: Init,
): fc.Arbitrary<Uint8Array> =>
  initOf(message, texts, base, DEPTH).map((init) =>
    toBinary(message, create(message, init as MessageInitShape<DescMessage>)),
  );
