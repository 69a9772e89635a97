/** How pictures look, and how they become SVG: for every chart of this repository. */

import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';

const FONT = 'system-ui, -apple-system, "Segoe UI", sans-serif';
const CONFIG = {
  background: 'white',
  font: FONT,
  view: { stroke: null },
  axis: {
    labelColor: '#52525b',
    titleColor: '#18181b',
    gridColor: '#eeeef0',
    domain: false,
    tickColor: '#d4d4d8',
    titleFontWeight: 500,
  },
  title: { anchor: 'start', fontSize: 16, subtitleColor: '#52525b', subtitleFontSize: 12, offset: 16 },
  legend: { orient: 'top', title: null, labelFontSize: 12, labelLimit: 0, symbolStrokeWidth: 3 },
} as const;
/** Grey for the baseline, blue for what we test, then the rest of a palette that the colour-blind can tell apart. */
export const COLOURS = [
  ...['#a1a1aa', '#2563eb', '#d97706', '#059669', '#db2777', '#0891b2', '#7c3aed', '#65a30d'],
];
export const PANEL = { width: 380, height: 170 };

/** A panel's own title, smaller than that of the picture. */
export const panelTitle = (text: string) => ({
  ...{ text, fontSize: 13, fontWeight: 500, offset: 6 },
  frame: 'group',
});

/**
 * A picture of this repository's looks.
 * @param spec of vega-lite, without a `config`.
 * @returns SVG
 */
export function render(spec: object): Promise<string> {
  const whole = { ...spec, config: CONFIG } as unknown as TopLevelSpec;
  return new View(parse(compile(whole).spec), { renderer: 'none' }).toSVG();
}
