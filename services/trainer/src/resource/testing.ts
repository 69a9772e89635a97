/** For tests of what is made of texts. */

import fc from 'fast-check';

/** Texts of any code points, halves of surrogate pairs too. (fast-check's own unit `binary` takes seconds to set up.) */
export const anyText = (maxLength: number): fc.Arbitrary<string> =>
  fc.string({
    unit: fc.integer({ min: 0, max: 0x10ffff }).map((code) => String.fromCodePoint(code)),
    maxLength,
  });
