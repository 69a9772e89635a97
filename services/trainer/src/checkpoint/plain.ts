/** Plain data as JSON text, and the arrays of numbers in it as raw bytes beside it. The same again, bit for bit. */

const ARRAYS = { Uint8Array, Int32Array, Float32Array, Float64Array };
type ArrayKind = keyof typeof ARRAYS;
type NumberArray = InstanceType<(typeof ARRAYS)[ArrayKind]>;

/** What can be kept: these, arrays of them, and objects of them. */
export interface PlainParts {
  readonly text: string;
  /** Little-endian, in the order in which the text refers to them. */
  readonly arrays: readonly Uint8Array[];
}

/** Where JSON has no word for something, an object with this key alone stands for it. */
const KEY = '$';

/** @throws TypeError when there is something in it that is not plain data. */
export function toParts(value: unknown): PlainParts {
  const arrays: Uint8Array[] = [];
  const plain = (each: unknown): unknown => {
    if (each === undefined) return { [KEY]: 'undefined' };
    if (typeof each === 'number' && !isWritable(each)) {
      return { [KEY]: Object.is(each, -0) ? '-0' : String(each) };
    }
    if (each === null || ['number', 'string', 'boolean'].includes(typeof each)) return each;
    if (Array.isArray(each)) return each.map(plain);
    const kind = kindOf(each);
    if (kind !== undefined) {
      const { buffer, byteOffset, byteLength, length } = each as NumberArray;
      arrays.push(new Uint8Array(buffer, byteOffset, byteLength));
      return { [KEY]: [kind, length] };
    }
    const isPlain = typeof each === 'object' && Object.getPrototypeOf(each) === Object.prototype;
    if (!isPlain || KEY in each) throw new TypeError(`${String(each)} is not plain data`);
    return Object.fromEntries(Object.entries(each).map(([key, member]) => [key, plain(member)]));
  };
  return { text: JSON.stringify(plain(value)), arrays };
}

/**
 * @param bytes the arrays one after the other.
 * @throws RangeError when they are not as many bytes as the text speaks of.
 */
export function fromParts(text: string, bytes: Uint8Array): unknown {
  let position = 0;
  const array = (kind: ArrayKind, length: number): NumberArray => {
    const size = length * ARRAYS[kind].BYTES_PER_ELEMENT;
    if (position + size > bytes.length) throw new RangeError('arrays end too soon');
    // A copy of its own, where it may begin at any byte.
    const { buffer } = new Uint8Array(bytes.subarray(position, position + size));
    position += size;
    return new ARRAYS[kind](buffer);
  };
  const revive = (each: unknown): unknown => {
    if (Array.isArray(each)) return each.map(revive);
    if (typeof each !== 'object' || each === null) return each;
    if (KEY in each) {
      const special = each[KEY];
      if (Array.isArray(special)) return array(special[0] as ArrayKind, special[1] as number);
      return special === 'undefined' ? undefined : Number(special);
    }
    return Object.fromEntries(Object.entries(each).map(([key, member]) => [key, revive(member)]));
  };
  const value = revive(JSON.parse(text));
  if (position !== bytes.length) throw new RangeError('bytes are left over');
  return value;
}

const isWritable = (value: number): boolean => Number.isFinite(value) && !Object.is(value, -0);

function kindOf(value: unknown): ArrayKind | undefined {
  // A Buffer is a Uint8Array, too.
  if (value instanceof Uint8Array) return 'Uint8Array';
  return (Object.keys(ARRAYS) as ArrayKind[]).find((kind) => value instanceof ARRAYS[kind]);
}
