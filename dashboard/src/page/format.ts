/** Numbers and times as people read them. */

import type { Figure } from '../api.ts';

const DASH = '–';
const MINUS = '−';

const signed = (text: string): string =>
  text.replace('-', MINUS).replace(/e([−-]?)\+?/, (_, sign) => `e${sign}`);

/** Three digits, without a string of zeros: 0.0184, 4.1e−4, 12.3, 1,234. */
export function short(value: Figure | undefined): string {
  if (value === null || value === undefined || Number.isNaN(value)) return DASH;
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size < 1e-3 || size >= 1e6)
    return signed(value.toExponential(1).replace('e+', 'e').replace('e-', `e${MINUS}`));
  if (size >= 1000) return signed(Math.round(value).toLocaleString('en'));
  return signed(String(Number(value.toPrecision(3))));
}

/** Numbers of one axis, all of them with an exponent where one needs it. */
export function ticksOf(values: readonly number[]): string[] {
  const isSmall = values.some((value) => value !== 0 && Math.abs(value) < 1e-3);
  return values.map((value) => (isSmall && value !== 0 ? signed(value.toExponential(1)) : short(value)));
}

/** A loss in nats. */
export const loss = (value: Figure | undefined): string =>
  value === null || value === undefined
    ? DASH
    : Math.abs(value) >= 1000
      ? short(value)
      : signed(value.toFixed(3));

/** A share as percent. */
export const percent = (value: Figure | undefined): string =>
  value === null || value === undefined ? DASH : `${signed((100 * value).toFixed(1))} %`;

export const count = (value: number): string => value.toLocaleString('en');

/** In plain runs. */
export const cost = (value: Figure | undefined): string =>
  value === null || value === undefined ? DASH : `${signed(value.toFixed(2))}×`;

/** Minutes and seconds, hours and days where there are any. */
export function duration(milliseconds: number | undefined): string {
  if (milliseconds === undefined || !Number.isFinite(milliseconds)) return DASH;
  if (milliseconds < 1000) return `${Math.max(0, Math.round(milliseconds))} ms`;
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 60) return `${seconds} s`;
  const [minutes, hours] = [Math.floor(seconds / 60), Math.floor(seconds / 3600)];
  if (hours >= 24) return `${Math.floor(hours / 24)} d ${hours % 24} h`;
  if (hours > 0) return `${hours} h ${minutes % 60} min`;
  return `${minutes} min ${String(seconds % 60).padStart(2, '0')} s`;
}

/** In the zone of whoever reads, which the longer text names. */
export const moment = (time: number | undefined): string =>
  time === undefined
    ? DASH
    : new Date(time).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
export const momentExactly = (time: number | undefined): string =>
  time === undefined
    ? ''
    : new Date(time).toLocaleString(undefined, { dateStyle: 'full', timeStyle: 'long' });

const AGO = new Intl.RelativeTimeFormat('en', { numeric: 'auto', style: 'narrow' });

/** How long ago. */
export function ago(time: number, now: number): string {
  const seconds = (time - now) / 1000;
  if (seconds > -45) return 'just now';
  if (seconds > -3600) return AGO.format(Math.round(seconds / 60), 'minute');
  if (seconds > -86_400) return AGO.format(Math.round(seconds / 3600), 'hour');
  return AGO.format(Math.round(seconds / 86_400), 'day');
}

/** A name of the SDK as words: `weightDecay` as weight decay. */
export const words = (name: string): string =>
  name.replace(/([a-z])([A-Z])/g, (_, a, b) => `${a} ${b.toLowerCase()}`).replaceAll('_', ' ');

/** Bytes with a unit. */
export function bytes(value: number): string {
  if (value === 0) return 'no limit';
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log2(value) / 10));
  return `${Number((value / 1024 ** power).toPrecision(3))} ${units[power]}`;
}
