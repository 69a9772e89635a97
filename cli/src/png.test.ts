import { expect, it } from 'vitest';
import { toPng } from './png.ts';

/** Width and height as a PNG states them. */
const sizeOf = (png: Uint8Array) => {
  const view = new DataView(png.buffer, png.byteOffset);
  return [view.getUint32(16), view.getUint32(20)];
};
const svg = (inside: string) =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="60" height="20">${inside}</svg>`;

it('has twice as many pixels as the drawing has points', async () => {
  expect(sizeOf(await toPng(svg('')))).toEqual([120, 40]);
});

it('has letters without a font of the system, whatever font is asked for', async () => {
  const text = (said: string) =>
    svg(`<text x="2" y="15" font-family="system-ui, sans-serif" font-size="14">${said}</text>`);
  const [blank, lr, val] = await Promise.all([toPng(svg('')), toPng(text('lr')), toPng(text('val'))]);
  expect(Buffer.compare(blank, lr)).not.toBe(0);
  expect(Buffer.compare(lr, val)).not.toBe(0);
});
