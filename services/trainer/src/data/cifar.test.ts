import { describe, expect, it } from 'vitest';
import { checkBalanced, parseCifar } from './cifar.ts';
import { DataError } from './errors.ts';

const CIFAR10 = { labels: [10] };
const CIFAR100 = { labels: [20, 100] };

/** A record whose pixel p has red p mod 256, green p div 256 and blue as given. */
function record(labels: readonly number[], blue: number): number[] {
  const pixels = Array.from({ length: 32 * 32 }, (_, pixel) => pixel);
  return [
    ...labels,
    ...pixels.map((pixel) => pixel % 256),
    ...pixels.map((pixel) => Math.floor(pixel / 256)),
    ...pixels.map(() => blue),
  ];
}

const file = (name: string, ...records: readonly number[][]) => ({
  file: name,
  bytes: Uint8Array.from(records.flat()),
});

const refused = (reason: string, message: string) => expect.objectContaining({ reason, message });

describe('parseCifar', () => {
  it('puts the planes together to pixels of red, green and blue, row by row', () => {
    const { values, shape } = parseCifar([file('a', record([3], 7))], CIFAR10, 1);
    expect(shape).toEqual([32, 32, 3]);
    const pixel = (y: number, x: number) => [...values.subarray((y * 32 + x) * 3, (y * 32 + x) * 3 + 3)];
    expect(pixel(0, 0)).toEqual([0, 0, 7]);
    expect(pixel(0, 1)).toEqual([1, 0, 7]);
    expect(pixel(1, 0)).toEqual([32, 0, 7]);
    expect(pixel(31, 31)).toEqual([255, 3, 7]);
  });

  it('has the examples of all files in their order', () => {
    const files = [file('a', record([3], 1), record([0], 2)), file('b', record([9], 3), record([4], 4))];
    const { count, classes, labels, values } = parseCifar(files, CIFAR10, 2);
    expect({ count, classes }).toEqual({ count: 4, classes: 10 });
    expect([...labels]).toEqual([3, 0, 9, 4]);
    expect([0, 1, 2, 3].map((example) => values[example * 3072 + 2])).toEqual([1, 2, 3, 4]);
  });

  it('learns the fine label of CIFAR-100, the second', () => {
    const { classes, labels } = parseCifar([file('a', record([19, 99], 0))], CIFAR100, 1);
    expect(classes).toBe(100);
    expect([...labels]).toEqual([99]);
  });

  it.each([
    ['shorter', file('a.bin', record([3], 0), record([3], 0).slice(1)), 6145],
    ['longer', file('a.bin', record([3], 0), record([3], 0), [0]), 6147],
    ['empty', file('a.bin'), 0],
    ['of the other set', file('a.bin', record([1, 3], 0), record([1, 3], 0)), 6148],
  ])('refuses a file that is %s', (_, found, size) => {
    expect(() => parseCifar([found], CIFAR10, 2)).toThrow(
      new DataError('SIZE', `a.bin has ${size} bytes; expected 6146: 2 records of 3073 bytes`),
    );
  });

  it('refuses a label that is not a class, coarse or fine', () => {
    const parse = (labels: number[]) => () =>
      parseCifar([file('a', record([0, 0], 0), record(labels, 0))], CIFAR100, 2);
    expect(parse([20, 0])).toThrow(
      refused('MISMATCH', 'a has label 20 in byte 0 of record 1; expected 0 to 19'),
    );
    expect(parse([0, 100])).toThrow(
      refused('MISMATCH', 'a has label 100 in byte 1 of record 1; expected 0 to 99'),
    );
    expect(parse([19, 99])).not.toThrow();
  });
});

describe('checkBalanced', () => {
  const examples = (...labels: number[]) => {
    const records = labels.map((label) => record([label], 0));
    return parseCifar([file('a', ...records)], { labels: [2] }, labels.length);
  };

  it('accepts as many of each class', () => {
    expect(() => checkBalanced(examples(0, 1, 1, 0), 'a.bin')).not.toThrow();
  });

  it('says which class has another number', () => {
    expect(() => checkBalanced(examples(0, 1, 1, 1), 'a.bin')).toThrow(
      refused('MISMATCH', 'a.bin has 1 images of class 0; expected 2 of each class'),
    );
  });
});
