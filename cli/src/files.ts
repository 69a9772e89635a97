/** Files that programs leave: pictures, and outer steps as JSON lines. */

import { writeFile } from 'node:fs/promises';
import { extname } from 'node:path';
import type { OuterStep } from '@glocal/sdk';
import type { EigenvaluePoint } from './charts.ts';
import { toJson } from './json.ts';
import { toPng } from './png.ts';

/** Writes a picture as its name says: `.png` as pixels, twice as many as the drawing has points; else as SVG. */
export async function writePicture(path: string, svg: string): Promise<void> {
  await writeFile(path, extname(path).toLowerCase() === '.png' ? await toPng(svg) : svg);
}

/** One JSON object a line, each ending in a line feed. */
export const jsonLines = (values: readonly object[]): string =>
  values.map((value) => `${toJson(value)}\n`).join('');

/** Eigenvalues of all windows. */
export function eigenvaluesOf(outerSteps: readonly Pick<OuterStep, 'index' | 'report'>[]): EigenvaluePoint[] {
  return outerSteps.flatMap(({ index, report }) =>
    (report?.spectrum.modes ?? []).map(({ eigenvalue, energyShare, steady }) => ({
      outerStep: index,
      re: eigenvalue.re,
      im: eigenvalue.im,
      energy: energyShare,
      steady,
    })),
  );
}
