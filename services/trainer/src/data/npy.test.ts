import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DataError, type DataReason } from './errors.ts';
import { parseNpy, readNpy, readNpz } from './npy.ts';

/** Files that NumPy 1.24 wrote. Those named by a type are `[[1, 2, 3], [100, −5, 6]]` (u1: 5; floats: 0.5 for 1). */
const FROM_NUMPY = {
  '|u1':
    'k05VTVBZAQB2AHsnZGVzY3InOiAnfHUxJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsIDMpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoBAgNkBQY=',
  '>i4':
    'k05VTVBZAQB2AHsnZGVzY3InOiAnPmk0JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsIDMpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAABAAAAAgAAAAMAAABk////+wAAAAY=',
  '<i8':
    'k05VTVBZAQB2AHsnZGVzY3InOiAnPGk4JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsIDMpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoBAAAAAAAAAAIAAAAAAAAAAwAAAAAAAABkAAAAAAAAAPv/////////BgAAAAAAAAA=',
  '<f4':
    'k05VTVBZAQB2AHsnZGVzY3InOiAnPGY0JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsIDMpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAA/AAAAQAAAQEAAAMhCAACgwAAAwEA=',
  '>f8':
    'k05VTVBZAQB2AHsnZGVzY3InOiAnPmY4JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsIDMpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAo/4AAAAAAAAEAAAAAAAAAAQAgAAAAAAABAWQAAAAAAAMAUAAAAAAAAQBgAAAAAAAA=',
  /** `numpy.asfortranarray(numpy.ones((2, 3), 'f4'))` */
  fortran:
    'k05VTVBZAQB2AHsnZGVzY3InOiAnPGY0JywgJ2ZvcnRyYW5fb3JkZXInOiBUcnVlLCAnc2hhcGUnOiAoMiwgMyksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAIA/AACAPwAAgD8AAIA/AACAPwAAgD8=',
  /** `numpy.ones(2, 'f4')` in version 2 of the format. */
  version2:
    'k05VTVBZAgB0AAAAeydkZXNjcic6ICc8ZjQnLCAnZm9ydHJhbl9vcmRlcic6IEZhbHNlLCAnc2hhcGUnOiAoMiwpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAIA/AACAPw==',
  /** `numpy.ones(2, 'f4')` in version 3 of the format. */
  version3:
    'k05VTVBZAwB0AAAAeydkZXNjcic6ICc8ZjQnLCAnZm9ydHJhbl9vcmRlcic6IEZhbHNlLCAnc2hhcGUnOiAoMiwpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAIA/AACAPw==',
  /** `numpy.zeros(2, [('a', 'f4'), ('b', 'i4')])` */
  fields:
    'k05VTVBZAQB2AHsnZGVzY3InOiBbKCdhJywgJzxmNCcpLCAoJ2InLCAnPGk0JyldLCAnZm9ydHJhbl9vcmRlcic6IEZhbHNlLCAnc2hhcGUnOiAoMiwpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAAAAAAAAAAAAAAAA',
  /** `numpy.zeros(2, 'c8')` */
  complex:
    'k05VTVBZAQB2AHsnZGVzY3InOiAnPGM4JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAAAAAAAAAAAAAAAA',
  /** `numpy.savez(file, x=numpy.arange(6, dtype='f4').reshape(3, 2), y=numpy.array([0, 1, 1]))` */
  savez:
    'UEsDBBQAAAAAAAAAIQDMypy9mAAAAJgAAAAFABQAeC5ucHkBABAAmAAAAAAAAACYAAAAAAAAAJNOVU1QWQEAdgB7J2Rlc2NyJzogJzxmNCcsICdmb3J0cmFuX29yZGVyJzogRmFsc2UsICdzaGFwZSc6ICgzLCAyKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAKAAAAAAAAgD8AAABAAABAQAAAgEAAAKBAUEsDBBQAAAAAAAAAIQAUR51kmAAAAJgAAAAFABQAeS5ucHkBABAAmAAAAAAAAACYAAAAAAAAAJNOVU1QWQEAdgB7J2Rlc2NyJzogJzxpOCcsICdmb3J0cmFuX29yZGVyJzogRmFsc2UsICdzaGFwZSc6ICgzLCksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAKAAAAAAAAAAABAAAAAAAAAAEAAAAAAAAAUEsBAhQDFAAAAAAAAAAhAMzKnL2YAAAAmAAAAAUAAAAAAAAAAAAAAIABAAAAAHgubnB5UEsBAhQDFAAAAAAAAAAhABRHnWSYAAAAmAAAAAUAAAAAAAAAAAAAAIABzwAAAHkubnB5UEsFBgAAAAACAAIAZgAAAJ4BAAAAAA==',
  /** The same with `numpy.savez_compressed`. */
  savezCompressed:
    'UEsDBBQAAAAIAAAAIQDMypy9VQAAAJgAAAAFABQAeC5ucHkBABAAmAAAAAAAAABVAAAAAAAAAJvsF+obEMnIUMZQrZ6SWpxcpG6loG6TZqKuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GsY6CkaaOgq1CmQDLgYwaLAHEg5ABMQNQLzAAQBQSwMEFAAAAAgAAAAhABRHnWRJAAAAmAAAAAUAFAB5Lm5weQEAEACYAAAAAAAAAEkAAAAAAAAAm+wX6hsQychQxlCtnpJanFykbqWgbpNpoa6joJ6WX1RSlJgXn1+UkgoSd0vMKU4FihdnJBakAvkaxjqaOgq1ChQALgYoYESjAVBLAQIUAxQAAAAIAAAAIQDMypy9VQAAAJgAAAAFAAAAAAAAAAAAAACAAQAAAAB4Lm5weVBLAQIUAxQAAAAIAAAAIQAUR51kSQAAAJgAAAAFAAAAAAAAAAAAAACAAYwAAAB5Lm5weVBLBQYAAAAAAgACAGYAAAAMAQAAAAA=',
};

const fromNumpy = (name: keyof typeof FROM_NUMPY): Uint8Array =>
  new Uint8Array(Buffer.from(FROM_NUMPY[name], 'base64'));

/** A file with a header as NumPy writes it. */
function npy(header: string, values: Uint8Array, version = 1): Uint8Array {
  const text = `${header}\n`;
  const length = Buffer.alloc(version === 1 ? 2 : 4);
  if (version === 1) length.writeUInt16LE(text.length);
  else length.writeUInt32LE(text.length);
  return new Uint8Array(
    Buffer.concat([
      Buffer.from('\x93NUMPY', 'latin1'),
      Buffer.of(version, 0),
      length,
      Buffer.from(text),
      values,
    ]),
  );
}
const header = (descr: string, shape: string, isFortran = 'False') =>
  `{'descr': '${descr}', 'fortran_order': ${isFortran}, 'shape': ${shape}, }`;

const error = (reason: DataReason, message: string | RegExp): unknown =>
  expect.objectContaining({ name: 'DataError', reason, message: expect.stringMatching(message) });
const parse = (bytes: Uint8Array) => () => parseNpy(bytes, 'some.npy');

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'glocal-npy-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, content: Uint8Array): string {
  const file = join(folder, name);
  writeFileSync(file, content);
  return file;
}

describe('parseNpy', () => {
  it.each([
    ['|u1', Uint8Array.of(1, 2, 3, 100, 5, 6)],
    ['>i4', Float64Array.of(1, 2, 3, 100, -5, 6)],
    ['<i8', Float64Array.of(1, 2, 3, 100, -5, 6)],
    ['<f4', Float32Array.of(0.5, 2, 3, 100, -5, 6)],
    ['>f8', Float64Array.of(0.5, 2, 3, 100, -5, 6)],
  ] as const)('reads %s as NumPy writes it', (type, expected) => {
    expect(parseNpy(fromNumpy(type), 'x')).toEqual({ file: 'x', shape: [2, 3], values: expected });
  });

  it.each(['version2', 'version3'] as const)('reads %s', (name) => {
    expect(parseNpy(fromNumpy(name), 'x')).toMatchObject({ shape: [2], values: Float32Array.of(1, 1) });
  });

  /** Ways to write numbers: their type, the numbers it has, and how it is written. */
  const types = [
    { type: 'u1', numbers: fc.integer({ min: 0, max: 2 ** 8 - 1 }) },
    { type: 'u2', numbers: fc.integer({ min: 0, max: 2 ** 16 - 1 }) },
    { type: 'u4', numbers: fc.integer({ min: 0, max: 2 ** 32 - 1 }) },
    { type: 'u8', numbers: fc.maxSafeNat() },
    { type: 'i1', numbers: fc.integer({ min: -(2 ** 7), max: 2 ** 7 - 1 }) },
    { type: 'i2', numbers: fc.integer({ min: -(2 ** 15), max: 2 ** 15 - 1 }) },
    { type: 'i4', numbers: fc.integer() },
    { type: 'i8', numbers: fc.maxSafeInteger() },
    { type: 'f4', numbers: fc.float() },
    { type: 'f8', numbers: fc.double() },
  ];

  function encode(type: string, order: string, numbers: readonly number[]): Uint8Array {
    const size = Number(type[1]);
    const view = new DataView(new ArrayBuffer(numbers.length * size));
    const little = order === '<';
    numbers.forEach((number, position) => {
      const at = position * size;
      if (type === 'f4') view.setFloat32(at, number, little);
      else if (type === 'f8') view.setFloat64(at, number, little);
      else if (size === 8) view.setBigInt64(at, BigInt(number), little);
      else if (size === 4) view.setInt32(at, number, little);
      else if (size === 2) view.setInt16(at, number, little);
      else view.setInt8(at, number);
    });
    return new Uint8Array(view.buffer);
  }

  it.each(types)('reads all of $type, in both byte orders, at any place in memory', ({ type, numbers }) => {
    const cases = fc.record({
      rows: fc.array(fc.array(numbers, { minLength: 3, maxLength: 3 }), { minLength: 1, maxLength: 9 }),
      order: fc.constantFrom('<', '>'),
      padding: fc.nat({ max: 9 }),
    });
    fc.assert(
      fc.property(cases, ({ rows, order, padding }) => {
        const file = npy(header(`${order}${type}`, `(${rows.length}, 3)`), encode(type, order, rows.flat()));
        const moved = Buffer.concat([Buffer.alloc(padding), file]).subarray(padding);
        const { shape, values } = parseNpy(moved, 'x');
        expect(shape).toEqual([rows.length, 3]);
        expect([...values]).toEqual(rows.flat());
      }),
    );
  });

  it('reads arrays without axes, with one, and the long numbers of Python 2', () => {
    const one = Uint8Array.of(7);
    expect(parseNpy(npy(header('|u1', '()'), one), 'x').shape).toEqual([]);
    expect(parseNpy(npy(header('|u1', '(1,)'), one), 'x').shape).toEqual([1]);
    expect(parseNpy(npy(header('|u1', '(1L, 1L)'), one), 'x').shape).toEqual([1, 1]);
    expect(parseNpy(npy(header('|u1', '(1,)', 'True'), one), 'x').shape).toEqual([1]);
  });

  it('refuses Fortran order, and says how to write the other', () => {
    expect(parse(fromNumpy('fortran'))).toThrow(
      error(
        'FORMAT',
        /^some\.npy is in Fortran order; expected C order, as numpy\.save\(.*ascontiguousarray/,
      ),
    );
  });

  it.each([
    ['fields', 'with fields'],
    ['complex', '<c8'],
  ] as const)('refuses %s', (name, type) => {
    expect(parse(fromNumpy(name))).toThrow(
      error('FORMAT', `some.npy has elements of type ${type}; expected numbers: u1, u2, .*f8$`),
    );
  });

  it('refuses what is not an npy file, and an unknown version of the format', () => {
    expect(parse(new Uint8Array())).toThrow(error('FORMAT', 'some.npy is not an npy file'));
    expect(parse(new TextEncoder().encode('<!DOCTYPE html>'))).toThrow(error('FORMAT', 'is not an npy file'));
    expect(parse(npy(header('|u1', '(1,)'), Uint8Array.of(7), 4))).toThrow(
      error('FORMAT', 'some.npy is npy version 4; expected 1, 2 or 3'),
    );
  });

  it.each([7, 9, 12, 60, 127])('refuses a file that ends in its header, after %s bytes', (size) => {
    expect(parse(fromNumpy('<f4').subarray(0, size))).toThrow(DataError);
  });

  it('refuses a header without its keys, and one without end', () => {
    expect(parse(npy("{'descr': '<f4'}", new Uint8Array()))).toThrow(
      error('FORMAT', 'expected descr, fortran_order and shape$'),
    );
    const endless = npy('', new Uint8Array(10), 2);
    new DataView(endless.buffer).setUint32(8, 0xffffffff, true);
    expect(parse(endless)).toThrow(error('SIZE', 'some.npy ends within its header'));
  });

  it('refuses more or fewer values than announced', () => {
    const file = fromNumpy('<f4');
    for (const bytes of [file.subarray(0, -1), Uint8Array.of(...file, 0)]) {
      expect(parse(bytes)).toThrow(
        error(
          'SIZE',
          /has 2[35] bytes of values; expected 24, as its header announces \[2, 3\] values of 4 bytes$/,
        ),
      );
    }
    expect(parse(npy(header('<f8', '(99999999999, 99999999999)'), new Uint8Array(8)))).toThrow(
      error('SIZE', 'has 8 bytes of values'),
    );
  });

  it('gives an array or a DataError whatever the bytes', () => {
    const flips = fc.array(fc.tuple(fc.nat({ max: 151 }), fc.nat({ max: 255 })), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(flips, fc.nat({ max: 152 }), (changes, size) => {
        const bytes = fromNumpy('<f4');
        for (const [position, byte] of changes) bytes[position] = byte;
        try {
          parseNpy(bytes.subarray(0, size), 'x');
        } catch (failure) {
          expect(failure).toBeInstanceOf(DataError);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('readNpy', () => {
  it('reads a file', async () => {
    const file = write('x.npy', fromNumpy('|u1'));
    expect(await readNpy(file)).toMatchObject({ file, shape: [2, 3] });
  });

  it('says which file is not there', async () => {
    const file = join(folder, 'missing.npy');
    await expect(readNpy(file)).rejects.toEqual(error('UNREADABLE', `${file} cannot be read .*ENOENT`));
  });
});

describe('readNpz', () => {
  it.each(['savez', 'savezCompressed'] as const)('reads what numpy.%s wrote', async (name) => {
    const file = write(`${name}.npz`, fromNumpy(name));
    expect(await readNpz(file, 'x')).toMatchObject({
      shape: [3, 2],
      values: Float32Array.of(0, 1, 2, 3, 4, 5),
    });
    expect((await readNpz(file, 'y')).values).toEqual(Float64Array.of(0, 1, 1));
  });

  it('names the arrays that there are when it is asked for another', async () => {
    const file = write('a.npz', fromNumpy('savez'));
    await expect(readNpz(file, 'z')).rejects.toEqual(
      error('FORMAT', `${file} has no z.npy; it has x.npy, y.npy$`),
    );
  });

  it('refuses what is not a zip file, or is not there', async () => {
    const file = write('b.npz', fromNumpy('|u1'));
    await expect(readNpz(file, 'x')).rejects.toEqual(error('CORRUPT', `${file} is damaged or no zip file`));
    await expect(readNpz(join(folder, 'missing.npz'), 'x')).rejects.toEqual(error('UNREADABLE', 'ENOENT'));
    await expect(readNpz(folder, 'x')).rejects.toEqual(error('UNREADABLE', 'cannot be read'));
  });

  it('sees a byte that has changed, by the checksum', async () => {
    const bytes = fromNumpy('savez');
    const value = Buffer.from(bytes).indexOf(Buffer.from(Float32Array.of(3).buffer));
    bytes[value] = 1;
    await expect(readNpz(write('c.npz', bytes), 'x')).rejects.toEqual(
      error('CORRUPT', 'x.npy has another checksum than announced'),
    );
  });

  it('refuses to unpack more than is announced, or than may be', async () => {
    const announce = (size: number) => {
      const bytes = fromNumpy('savezCompressed');
      // The sizes in the central directory, where the entry's header begins with PK\x01\x02.
      const entry = Buffer.from(bytes).indexOf('PK\x01\x02', 0, 'latin1');
      new DataView(bytes.buffer).setUint32(entry + 24, size, true);
      return write(`announces-${size}.npz`, bytes);
    };
    await expect(readNpz(announce(10), 'x')).rejects.toEqual(error('CORRUPT', 'too many bytes'));
    await expect(readNpz(announce(2 ** 31), 'x')).rejects.toEqual(
      error('SIZE', 'announces 2147483648 bytes for x.npy; expected at most 1073741824'),
    );
  });

  it('gives an array or a DataError whatever the bytes', async () => {
    const flips = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(flips, async (changes) => {
        const bytes = fromNumpy('savezCompressed');
        for (const [position, byte] of changes) bytes[position % bytes.length] = byte;
        const failure = await readNpz(write('fuzz.npz', bytes), 'x').catch((reason: unknown) => reason);
        if (failure instanceof Error) expect(failure).toBeInstanceOf(DataError);
      }),
      { numRuns: 300 },
    );
  });
});
