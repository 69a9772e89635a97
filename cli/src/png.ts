/** Pictures as pixels, the same on every machine: resvg as WebAssembly, with a font of our own. */

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { initWasm, Resvg } from '@resvg/resvg-wasm';

/** Pixels for each point of the drawing: sharp on screens of today, and in print. */
const SCALE = 2;
const FONT = 'Inter';
const WEIGHTS = ['400Regular', '500Medium', '700Bold'];

const { resolve } = createRequire(import.meta.url);

let fonts: Promise<Uint8Array[]> | undefined;

/** PNG of an SVG. */
export async function toPng(svg: string): Promise<Uint8Array> {
  fonts ??= load();
  const picture = new Resvg(svg, {
    fitTo: { mode: 'zoom', value: SCALE },
    font: { fontBuffers: await fonts, defaultFontFamily: FONT, sansSerifFamily: FONT },
  });
  try {
    return picture.render().asPng();
  } finally {
    picture.free();
  }
}

/** Of the whole process: WebAssembly is set up once. */
async function load(): Promise<Uint8Array[]> {
  await initWasm(readFile(resolve('@resvg/resvg-wasm/index_bg.wasm')));
  return Promise.all(
    WEIGHTS.map((weight) => readFile(resolve(`@expo-google-fonts/inter/${weight}/Inter_${weight}.ttf`))),
  );
}
