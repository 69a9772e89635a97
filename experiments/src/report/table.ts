/** Tables as people and programs read them. */

export interface Table {
  /** Name of its file: lower-case letters, digits and `-`. */
  readonly id: string;
  readonly title: string;
  readonly columns: readonly string[];
  /** As many cells as there are columns. */
  readonly rows: readonly (readonly string[])[];
  /** What has to be said with it. */
  readonly note?: string;
}

export function markdown({ title, columns, rows, note }: Table): string {
  const lines = [columns, columns.map(() => '---'), ...rows];
  const table = lines.map((cells) => `| ${cells.map(escaped).join(' | ')} |`).join('\n');
  return `${title}\n\n${table}\n${note === undefined ? '' : `\n${note}\n`}`;
}

const escaped = (cell: string): string => cell.replaceAll('|', '\\|');

/** As in RFC 4180. */
export const csv = ({ columns, rows }: Table): string =>
  [columns, ...rows].map((cells) => `${cells.map(quoted).join(',')}\r\n`).join('');

const quoted = (cell: string): string => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);

/** Lower-case letters, digits and `-`, for the name of a file. */
export const slug = (text: string): string =>
  text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '');
