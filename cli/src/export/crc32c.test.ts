import { expect, it } from 'vitest';
import { crc32c } from './crc32c.ts';

// RFC 3720, section B.4.
it.each([
  ['zeros', new Uint8Array(32), 0x8a9136aa],
  ['ones', new Uint8Array(32).fill(0xff), 0x62a8ab43],
  ['rising bytes', Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
  ['digits', new TextEncoder().encode('123456789'), 0xe3069283],
])('sums %s as the standard says', (_, bytes, sum) => {
  expect(crc32c(bytes)).toBe(sum);
});
