/** Colours that people with any kind of colour vision can tell apart (Okabe and Ito, 2008), by what they stand for. */

import { signal } from '@preact/signals';

/** For lines of equal rank, in this order. As CSS variables they differ between light and dark. */
export const LINES = [1, 2, 3, 4, 5, 6, 7].map((i) => `--line-${i}`);
export const lineColour = (i: number): string => LINES[i % LINES.length] ?? '--line-1';

const DASHES: readonly (readonly number[] | undefined)[] = [undefined, [2, 3], [10, 3, 2, 3]];
/** More lines than there are colours differ by their dashes. */
export const lineDash = (i: number): readonly number[] | undefined =>
  DASHES[Math.floor(i / LINES.length) % DASHES.length];

/** Each verdict has a colour, and a sign for those who cannot tell it. */
export const VERDICTS: Readonly<
  Record<string, { readonly colour: string; readonly sign: string; readonly text: string }>
> = {
  TRUSTED: { colour: '--good', sign: '●', text: 'trusted' },
  UNCERTAIN: { colour: '--unsure', sign: '◐', text: 'uncertain' },
  NO_STEADY_MODE: { colour: '--calm', sign: '○', text: 'no steady mode' },
  OSCILLATING: { colour: '--wave', sign: '∿', text: 'oscillating' },
  DIVERGING: { colour: '--bad', sign: '▲', text: 'diverging' },
  DEGENERATE: { colour: '--none', sign: '×', text: 'degenerate' },
};
export const NO_VERDICT = { colour: '--none', sign: '·', text: 'no verdict' };
export const verdictOf = (verdict: string | undefined) => VERDICTS[verdict ?? ''] ?? NO_VERDICT;

/** States of studies and trials. */
export const STATES: Readonly<Record<string, { readonly colour: string; readonly sign: string }>> = {
  ACTIVE: { colour: '--line-1', sign: '▶' },
  RUNNING: { colour: '--line-1', sign: '▶' },
  PENDING: { colour: '--none', sign: '…' },
  PAUSED: { colour: '--unsure', sign: '‖' },
  COMPLETED: { colour: '--good', sign: '✓' },
  SUCCEEDED: { colour: '--good', sign: '✓' },
  CANCELLED: { colour: '--none', sign: '■' },
  FAILED: { colour: '--bad', sign: '!' },
  INFEASIBLE: { colour: '--bad', sign: '▲' },
};

/** Light, dark, or as the system has it. */
export type Theme = 'light' | 'dark' | 'system';
const KEY = 'glocal-theme';
const system = matchMedia('(prefers-color-scheme: dark)');

export const theme = signal<Theme>((localStorage.getItem(KEY) as Theme | null) ?? 'system');
/** What canvases are drawn with: changes with the theme. */
export const isDark = signal(false);

function apply(): void {
  const dark = theme.value === 'system' ? system.matches : theme.value === 'dark';
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
  colours.clear();
  // Who hears of it draws with the new colours.
  isDark.value = dark;
}

const colours = new Map<string, string>();
system.addEventListener('change', apply);
apply();

export function setTheme(next: Theme): void {
  theme.value = next;
  localStorage.setItem(KEY, next);
  apply();
}

/** Of a CSS variable, as canvases need it. */
export function colourOf(variable: string): string {
  if (!variable.startsWith('--')) return variable;
  const known = colours.get(variable);
  if (known !== undefined) return known;
  const found = getComputedStyle(document.documentElement).getPropertyValue(variable).trim();
  colours.set(variable, found);
  return found;
}

/** Cividis, from small to large: even steps for every kind of colour vision. */
const CIVIDIS = [
  '#00224e',
  '#123570',
  '#3b496c',
  '#575d6d',
  '#707173',
  '#8a8678',
  '#a59c74',
  '#c3b369',
  '#e1cc55',
  '#fee838',
].map((hex) => [1, 3, 5].map((i) => Number.parseInt(hex.slice(i, i + 2), 16)));

/** @param share 0 to 1 */
export function cividis(share: number): readonly [number, number, number] {
  const at = Math.min(1, Math.max(0, share)) * (CIVIDIS.length - 1);
  const low = CIVIDIS[Math.floor(at)] ?? [0, 0, 0];
  const high = CIVIDIS[Math.ceil(at)] ?? low;
  const mix = (i: number): number => Math.round((low[i] ?? 0) + ((high[i] ?? 0) - (low[i] ?? 0)) * (at % 1));
  return [mix(0), mix(1), mix(2)];
}
