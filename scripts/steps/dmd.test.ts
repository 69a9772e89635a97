import { expect, test } from 'vitest';
import { lastBar } from './dmd.ts';

test('how far cargo is comes from the last of its progress bars', () => {
  const text =
    '    Building [                             ] 0/3: ryu, itoa                   \r' +
    '    Building [========>                    ] 1/3: ryu                         \r   Compiling tiny v0.1.0\n';
  expect(lastBar(text)).toBe('1 of 3 crates');
  expect(lastBar('   Compiling ryu v1.0.23\n')).toBeUndefined();
});
