import { DatabaseSync } from 'node:sqlite';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { migrate as migrateSqlite } from '../sqlite/migrations.ts';
import { MIGRATIONS, migrate, SCHEMA_VERSION } from './migrations.ts';
import { TestPostgres } from './testing.ts';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await TestPostgres.start();
});
afterAll(() => postgres[Symbol.asyncDispose]());

/** A session as those of the store are. */
async function session(url: string): Promise<Client & AsyncDisposable> {
  const client = new Client({ connectionString: url, options: '-c search_path=glocal' });
  await client.connect();
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() });
}

const versions = async (url: string) =>
  (await postgres.run('SELECT version FROM glocal.schema_version', url)).map(({ version }) => version);

/** Steps that come after the current schema. */
const LATER = [
  'ALTER TABLE studies ADD COLUMN colour text',
  "UPDATE studies SET colour = 'red'; ALTER TABLE studies ALTER COLUMN colour SET NOT NULL",
];

describe('the schema of a database', () => {
  it('is made, and brought forward with what is in it, a step at a time', async () => {
    const url = await postgres.newDatabase();
    await using client = await session(url);
    const first = MIGRATIONS.slice(0, 1);
    await migrate(client, first);
    expect(await versions(url)).toEqual([1]);
    await client.query(
      "INSERT INTO studies (name, owner, fingerprint, state, active, record) VALUES ('studies/a', '', '', 1, 1, '')",
    );
    await migrate(client, [...first, ...LATER]);
    expect(await versions(url)).toEqual([3]);
    expect((await client.query('SELECT name, colour FROM studies')).rows).toEqual([
      { name: 'studies/a', colour: 'red' },
    ]);
    await migrate(client, [...first, ...LATER]);
    expect(await versions(url)).toEqual([3]);
  });

  it('of the first release is brought forward with its outer steps, of which nobody knows who has stored them', async () => {
    const url = await postgres.newDatabase();
    await using client = await session(url);
    await migrate(client, MIGRATIONS.slice(0, 1));
    await client.query(`
      INSERT INTO studies (name, owner, fingerprint, state, active, record) VALUES ('studies/a', '', '', 1, 1, '');
      INSERT INTO trials (name, study, number, epoch, state, finished, external, record)
        SELECT 'studies/a/trials/0', id, 0, 1, 1, 0, 0, '' FROM studies;
      INSERT INTO outer_steps (trial, number, record, large) SELECT id, 1, '\\x01', '\\x02' FROM trials;
    `);
    await migrate(client);
    expect(await versions(url)).toEqual([SCHEMA_VERSION]);
    expect((await client.query('SELECT number, epoch, large FROM outer_steps')).rows).toEqual([
      { number: 1, epoch: '0', large: Buffer.of(2) },
    ]);
    expect((await client.query('SELECT count(*) AS n FROM objects')).rows).toEqual([{ n: '0' }]);
  });

  it('stays as it was when a step fails', async () => {
    const url = await postgres.newDatabase();
    await using client = await session(url);
    const first = MIGRATIONS.slice(0, 1);
    await expect(migrate(client, [...first, `${LATER[0]}; SELECT nothing`])).rejects.toThrow('nothing');
    expect(await versions(url)).toEqual([1]);
    await expect(client.query('SELECT colour FROM studies')).rejects.toThrow('colour');
  });

  it('is made once by servers that start together', async () => {
    const url = await postgres.newDatabase();
    const servers = await Promise.all(Array.from({ length: 5 }, () => session(url)));
    await Promise.all(servers.map((client) => migrate(client)));
    expect(await versions(url)).toEqual([SCHEMA_VERSION]);
    await Promise.all(servers.map((client) => client.end()));
  });

  it('of a newer version is refused with both', async () => {
    const url = await postgres.newDatabase();
    await using client = await session(url);
    const first = MIGRATIONS.slice(0, 1);
    await migrate(client, [...first, ...LATER]);
    await expect(migrate(client, first)).rejects.toThrow(
      'was written by a newer version (schema 3, this one reads 1); upgrade the trainer',
    );
  });

  it('is made in a schema that somebody has made for a user who may not', async () => {
    const url = await postgres.newDatabase();
    await postgres.run(
      "CREATE ROLE guest LOGIN PASSWORD 'guest'; CREATE SCHEMA glocal AUTHORIZATION guest",
      url,
    );
    const database = new URL(url).pathname.slice(1);
    await using client = await session(postgres.url(database, { user: 'guest', password: 'guest' }));
    await migrate(client);
    expect(await versions(url)).toEqual([SCHEMA_VERSION]);
  });

  it('is refused where text is not UTF-8', async () => {
    await postgres.run("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0");
    await using client = await session(postgres.url('latin'));
    await expect(migrate(client)).rejects.toThrow('is encoded as LATIN1');
  });

  it('has all tables and columns that SQLite has', async () => {
    const url = await postgres.newDatabase();
    await using client = await session(url);
    await migrate(client);
    const { rows } = await client.query(
      "SELECT table_name || '.' || column_name AS name FROM information_schema.columns WHERE table_schema = 'glocal'",
    );
    const file = new DatabaseSync(':memory:');
    migrateSqlite(file);
    const columns = file
      .prepare(
        `SELECT tables.name || '.' || columns.name AS name
         FROM sqlite_master AS tables, pragma_table_info(tables.name) AS columns
         WHERE tables.type = 'table' AND tables.name NOT LIKE 'sqlite_%'`,
      )
      .all();
    expect(rows.map(({ name }) => name)).toEqual(expect.arrayContaining(columns.map(({ name }) => name)));
  });
});
