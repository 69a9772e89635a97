import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { listed, printable, quote, quoteCell, startOf } from './quote.ts';
import { anyText } from './testing.ts';

describe('a quotation of what a caller wrote', () => {
  it.each([
    ['', '""'],
    ['studies/a', '"studies/a"'],
    ['größer 😀', '"größer 😀"'],
    ['a"b\\c', '"a\\"b\\\\c"'],
  ])('shows short text as it is: %s', (text, quoted) => expect(quote(text)).toBe(quoted));

  it.each([
    ['a\nb', '"a\\nb"'],
    ['\u001b[31m', '"\\u001b[31m"'],
    ['\u009b1m', '"\\u009b1m"'],
    ['\u202eabc', '"\\u202eabc"'],
    ['\ud800', '"\\ud800"'],
  ])('escapes what a terminal would act on: %j', (text, quoted) => expect(quote(text)).toBe(quoted));

  it('has the start of a long text and says how long it is', () => {
    expect(quote('x'.repeat(70_000))).toBe(`"${'x'.repeat(100)}…" (70000 characters)`);
    expect(quote('😀'.repeat(101))).toBe(`"${'😀'.repeat(100)}…" (101 characters)`);
  });

  it('is short and well formed whatever the text', () => {
    fc.assert(
      fc.property(anyText(300), (text) => {
        const quoted = quote(text);
        expect(quoted.isWellFormed()).toBe(true);
        expect(quoted).not.toMatch(/\p{Cc}/u);
        expect(quoted.length).toBeLessThan(700);
      }),
    );
  });
});

it('a quotation of a cell is its start, escaped in the same way', () => {
  expect(quoteCell('a"b\u202e')).toBe('"a\\"b\\u202e"');
  expect(quoteCell('😀'.repeat(41))).toBe(`"${'😀'.repeat(40)}…"`);
});

it('the start of a text never ends within a character', () => {
  expect(startOf('a😀b', 3)).toBe('a😀b');
  expect(startOf('a😀b', 2)).toBe('a😀…');
  expect(startOf('a😀b', 1)).toBe('a…');
});

it('a text for one line has escapes for what would be invisible, and nothing else', () => {
  expect(printable('größer "x"\n\u200bend')).toBe('größer "x"\\u000a\\u200bend');
});

it('a list names the first and counts the others', () => {
  expect(listed(['a', '', 'b'])).toBe('a, "", b');
  expect(listed(Array.from({ length: 12 }, (_, i) => `n${i}`))).toMatch(/^n0, .*, n9 and 2 more$/);
});
