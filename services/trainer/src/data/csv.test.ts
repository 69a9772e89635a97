import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CsvOptions, readCsv } from './csv.ts';
import { DataError, type DataReason } from './errors.ts';

let folder: string;
let file: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'glocal-csv-'));
  file = join(folder, 'table.csv');
});
afterAll(() => rmSync(folder, { recursive: true }));

const options: CsvOptions = { label: 'species', classes: ['cat', 'dog'], delimiter: ',' };

function read(content: string | Uint8Array, changes: Partial<CsvOptions> = {}) {
  writeFileSync(file, content);
  return readCsv(file, { ...options, ...changes });
}

/** How a table is refused: the reason, and the message without the folder. */
async function refusal(content: string, changes?: Partial<CsvOptions>): Promise<[DataReason, string]> {
  const failure = await read(content, changes).catch((error: unknown) => error);
  if (!(failure instanceof DataError)) throw new Error(`not refused: ${failure}`);
  return [failure.reason, failure.message.replaceAll(`${folder}/`, '')];
}

const TABLE = 'age,species,weight\n1.5,dog,-2\n.5,cat,3e2\n';

describe('readCsv', () => {
  it('has numbers from all columns but the label', async () => {
    expect(await read(TABLE)).toEqual({
      features: ['age', 'weight'],
      values: Float32Array.of(1.5, -2, 0.5, 300),
      labels: Int32Array.of(1, 0),
    });
  });

  it('has the columns that are asked for, in that order, and does not look at the others', async () => {
    const table = 'name,age,species,weight\nRex,1,dog,2\nTom,3,cat,4\n';
    const { features, values } = await read(table, { features: ['weight', 'age'] });
    expect(features).toEqual(['weight', 'age']);
    expect(values).toEqual(Float32Array.of(2, 1, 4, 3));
  });

  it.each([
    ['a byte order mark', `\uFEFF${TABLE}`],
    ['Windows line ends', TABLE.replaceAll('\n', '\r\n')],
    ['no line end at the end', TABLE.trimEnd()],
    ['empty lines', TABLE.replaceAll('\n', '\n\n')],
    ['spaces around cells', TABLE.replaceAll(',', ' , ')],
    ['quotes', TABLE.replaceAll(/[^,\n]+/g, '"$&"')],
  ])('reads a file with %s', async (_, content) => {
    expect((await read(content)).values).toEqual(Float32Array.of(1.5, -2, 0.5, 300));
  });

  it('has columns without a name, or with the same one, that nobody asks for', async () => {
    const table = ',age,note,note,species\n0,1,a,b,dog\n';
    expect(await read(table, { features: ['age'] })).toMatchObject({ features: ['age'] });
  });

  it.each([
    ['Windows and then Unix', TABLE.replace('\n', '\r\n')],
    ['Unix and then Windows', TABLE.replace(/\n(?=\.5)/, '\r\n')],
    ['those of old Macs', TABLE.replaceAll('\n', '\r')],
  ])('reads a file with line ends of different systems: %s', async (_, content) => {
    expect(await read(content)).toMatchObject({
      labels: Int32Array.of(1, 0),
      values: Float32Array.of(1.5, -2, 0.5, 300),
    });
  });

  it('counts lines the same whatever their ends are', async () => {
    const [, message] = await refusal('age,species\r\n1,dog\nx,cat\r\n');
    expect(message).toMatch(/^table\.csv line 3, column "age" has "x"/);
  });

  it('compares classes and names without blanks around them, quoted or not', async () => {
    const table = 'age," species "\n1, dog\n2," cat "\n';
    expect((await read(table)).labels).toEqual(Int32Array.of(1, 0));
  });

  it('reads another delimiter', async () => {
    const { values } = await read(TABLE.replaceAll(',', ';'), { delimiter: ';' });
    expect(values).toEqual(Float32Array.of(1.5, -2, 0.5, 300));
  });

  it('reads every finite float32 as it was written', async () => {
    const rows = fc.array(
      fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 2, maxLength: 2 }),
      {
        minLength: 1,
      },
    );
    await fc.assert(
      fc.asyncProperty(rows, async (numbers) => {
        const lines = numbers.map(([a, b]) => `${a},cat,${b}`);
        const { values, labels } = await read(['a,species,b', ...lines].join('\n'));
        expect([...values]).toEqual(numbers.flat().map((number) => (number === 0 ? 0 : number)));
        expect(labels.length).toBe(numbers.length);
      }),
      { numRuns: 50 },
    );
  });

  it('reads more rows than fit into its first memory', async () => {
    const rows = Array.from({ length: 5_000 }, (_, row) => `${row},cat`);
    const { values } = await read(['x,species', ...rows].join('\n'));
    expect(values).toEqual(Float32Array.from({ length: 5_000 }, (_, row) => row));
  });
});

describe('refuses a cell', () => {
  it.each(['n/a', 'NaN', 'nan', 'Infinity', '-inf', '0x10', '1,5', '1 000', '--1', '1e', 'true', '12px'])(
    'with the text %s',
    async (cell) => {
      expect(await refusal(`age,species,weight\n1,dog,2\n"${cell}",cat,3\n`)).toEqual([
        'VALUE',
        `table.csv line 3, column "age" has "${cell}"; expected a finite number`,
      ]);
    },
  );

  it.each(['', ' ', '""'])('that is missing: <%s>', async (cell) => {
    expect(await refusal(`age,species,weight\n1,dog,${cell}\n`)).toEqual([
      'VALUE',
      'table.csv line 2, column "weight" is empty; expected a finite number',
    ]);
  });

  it('that float32 cannot hold', async () => {
    expect(await refusal('age,species\n1e39,dog\n')).toEqual([
      'VALUE',
      'table.csv line 2, column "age" has "1e39"; expected a number in the range of float32, to ±3.4e38',
    ]);
  });

  it('with a text of any length, of which it shows the beginning', async () => {
    const [, message] = await refusal(`age,species\n${'x'.repeat(1_000)},dog\n`);
    expect(message).toBe(`table.csv line 2, column "age" has "${'x'.repeat(40)}…"; expected a finite number`);
  });

  it('whose label is not a class, naming some of those that are', async () => {
    expect(await refusal('age,species\n1,dog\n1,Dog\n')).toEqual([
      'MISMATCH',
      'table.csv line 3, column "species" has "Dog"; expected one of cat, dog',
    ]);
    const classes = Array.from({ length: 11 }, (_, label) => `${label}`);
    expect(await refusal('age,species\n1,\n', { classes })).toEqual([
      'MISMATCH',
      'table.csv line 2, column "species" is empty; expected one of 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 1 more',
    ]);
  });

  it('in the line where it is, after empty lines and cells of several lines', async () => {
    const table = 'name,age,species\n\n"two\nlines",1,dog\n\nTom,x,cat\n';
    expect(await refusal(table, { features: ['age'] })).toEqual([
      'VALUE',
      'table.csv line 6, column "age" has "x"; expected a finite number',
    ]);
  });
});

describe('refuses a table', () => {
  it.each([
    ['a row that is short', '1,dog', 2],
    ['a row that is long', '1,dog,2,3', 4],
  ])('with %s', async (_, row, cells) => {
    expect(await refusal(`age,species,weight\n1,dog,2\n${row}\n`)).toEqual([
      'FORMAT',
      `table.csv line 3 has ${cells} cells; expected 3, as the header has`,
    ]);
  });

  it('without the label or a feature', async () => {
    const table = '5.1,3.5,dog\n4.9,3.0,cat\n';
    const message = 'table.csv line 1 has no column "species"; it has 5.1, 3.5, dog';
    expect(await refusal(table)).toEqual(['FORMAT', message]);
    expect(await refusal(TABLE, { features: ['height'] })).toEqual([
      'FORMAT',
      'table.csv line 1 has no column "height"; it has age, species, weight',
    ]);
    expect(await refusal('species\ndog\n')).toEqual([
      'FORMAT',
      'table.csv line 1 has no column but the label; expected at least one feature',
    ]);
  });

  it('with columns of the same name, or of none', async () => {
    expect(await refusal('age,species,age\n1,dog,2\n')).toEqual([
      'FORMAT',
      'table.csv line 1 has two columns "age"; expected different names',
    ]);
    expect(await refusal(',age,species\n0,1,dog\n')).toEqual([
      'FORMAT',
      'table.csv line 1: column 1 has no name; give it one, or list the columns to learn from under "features"',
    ]);
  });

  it('without rows, or without anything', async () => {
    expect(await refusal('age,species\n')).toEqual([
      'SIZE',
      'table.csv has no rows; expected a header and rows',
    ]);
    expect(await refusal('')).toEqual(['SIZE', 'table.csv is empty; expected a header and rows']);
  });

  it('whose quotes do not match', async () => {
    const [reason, message] = await refusal('age,species\n1,"dog\n2,cat\n');
    expect(reason).toBe('FORMAT');
    expect(message).toMatch(/^table\.csv: Quote Not Closed: .* at line \d$/);
  });

  it('that is not there', async () => {
    const missing = join(folder, 'missing.csv');
    await expect(readCsv(missing, options)).rejects.toMatchObject({
      reason: 'UNREADABLE',
      message: expect.stringContaining(`${missing} cannot be read (ENOENT`),
    });
  });

  it.each([
    ['compressed with gzip', gzipSync(TABLE), /^\S+table\.csv is compressed with gzip; unpack it first$/],
    [
      'in UTF-16',
      Buffer.from(`\uFEFF${TABLE}`, 'utf16le'),
      /^\S+table\.csv is text in UTF-16; save it as UTF-8$/,
    ],
    ['in UTF-16 without a mark', Buffer.from(TABLE, 'utf16le'), /is text in UTF-16/],
    ['a zip archive', Buffer.from('PK\x03\x04 and more', 'latin1'), /is a zip archive; unpack it first$/],
  ])('that is %s, and says what to do', async (_, content, message) => {
    await expect(read(content)).rejects.toMatchObject({
      reason: 'FORMAT',
      message: expect.stringMatching(message),
    });
  });

  it('without the label, naming some of its many columns', async () => {
    const header = Array.from({ length: 784 }, (_, i) => `pixel${i}`).join(',');
    const [, message] = await refusal(`${header}\n`);
    expect(message).toMatch(/has no column "species"; it has pixel0, .*, pixel9 and 774 more$/);
  });

  it('that is not UTF-8 where it matters, and says so', async () => {
    const latin1 = (text: string) => Buffer.from(text, 'latin1');
    const message = expect.stringMatching(/is not text in UTF-8; save the file as UTF-8$/);
    await expect(read(latin1('age,species\n1,é\n'))).rejects.toMatchObject({ reason: 'FORMAT', message });
    await expect(read(latin1('âge,species\n1,dog\n'))).rejects.toMatchObject({ reason: 'FORMAT', message });
    expect((await read(latin1('âge,w,species\n1,2,dog\n'), { features: ['w'] })).features).toEqual(['w']);
  });

  it('with the index of pandas among the columns that nobody chose', async () => {
    const table = 'Unnamed: 0,age,species\n0,1,dog\n';
    expect((await refusal(table))[1]).toMatch(
      /line 1: Unnamed: 0 looks like an index that pandas has written/,
    );
    expect((await read(table, { features: ['age'] })).features).toEqual(['age']);
  });

  it('that is a pipe, without waiting for it', async () => {
    const pipe = join(folder, 'pipe.csv');
    execFileSync('mkfifo', [pipe]);
    await expect(readCsv(pipe, options)).rejects.toMatchObject({
      reason: 'UNREADABLE',
      message: `${pipe} cannot be read (it is not a regular file)`,
    });
  });

  it('without control characters in the message', async () => {
    const [, message] = await refusal('age,species\n1,\u0000\u001b[31m\n');
    expect((await refusal('a\u0085b,\u001b[31m\n'))[1]).toMatch(/it has a\\u0085b, \\u001b\[31m$/);
    expect(message).toContain('has "\\u0000\\u001b[31m"');
  });

  it('that is not text', async () => {
    const bytes = Uint8Array.from({ length: 5_000 }, (_, position) => (position * 151) % 256);
    await expect(read(bytes)).rejects.toBeInstanceOf(DataError);
  });
});
