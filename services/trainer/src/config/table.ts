/** The text of docs/settings.md. */

import { flagOf, keyOf, type Setting, settings, variableOf } from './settings.ts';

export function settingsTable(): string {
  const rows = settings().map(
    ([name, setting]) =>
      `| \`${flagOf(name)}\` | \`${variableOf(name)}\` | \`${keyOf(name)}\` | ${usual(setting)} | ${about(setting)} |`,
  );
  return `# Settings of the trainer

Made by \`node services/trainer/src/config/write-table.ts\`; a test says when it is out of date. How settings come together is
in [operations.md](operations.md).

| flag | variable | key of the file | default | |
| --- | --- | --- | --- | --- |
${rows.join('\n')}
`;
}

function usual({ default: value, defaultInWords, kind }: Setting<unknown>): string {
  if (defaultInWords !== undefined) return defaultInWords;
  if (value === undefined) return '–';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value !== 'number') return `\`${value}\``;
  const mebibytes = value / 1024 ** 2;
  if (kind.placeholder === 'bytes' && value > 0 && Number.isInteger(mebibytes)) return `${mebibytes} MiB`;
  return value.toLocaleString('en');
}

const about = ({ about: text, kind: { choices } }: Setting<unknown>): string =>
  `${text}${choices === undefined ? '' : ` (${choices.map((name) => `\`${name}\``).join(', ')})`}`
    .replaceAll('|', '\\|')
    .replaceAll('<', '&lt;');
