/** What programs show in a terminal: lines of progress, tables, and figures that people read. */

export { Pace } from './pace.ts';
export { type Board, type ProgressLine, progressBoard } from './progress.ts';
export { sparkline } from './sparkline.ts';
export { listing, table } from './table.ts';
export { clock, coloured, figure, short, verdictText } from './words.ts';
