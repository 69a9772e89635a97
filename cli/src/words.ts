/** Figures as people read them. */

import colours from 'picocolors';

/** A loss or a share. */
export const figure = (value: number | undefined): string => value?.toFixed(3) ?? '–';

/** Three digits, without a string of zeros. */
export function short(value: number | undefined): string {
  if (value === undefined) return '–';
  return Math.abs(value) >= 1e-3 || value === 0 ? value.toPrecision(3) : value.toExponential(1);
}

/** Minutes and seconds, and hours where there are any. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const rest = `${String(whole % 60).padStart(2, '0')}`;
  return hours === 0 ? `${minutes}:${rest}` : `${hours}:${String(minutes).padStart(2, '0')}:${rest}`;
}

/** A verdict in the colour of how far it goes. */
export function verdictText(verdict: string): string {
  if (verdict === 'TRUSTED') return colours.green(verdict);
  return verdict === 'DIVERGING' ? colours.red(verdict) : colours.yellow(verdict);
}
