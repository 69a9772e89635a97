import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseDatabase } from '../config/database.ts';
import { migrate } from '../store/postgres/migrations.ts';
import { newClient, type SessionOptions } from '../store/postgres/session.ts';
import { TestPostgres } from '../store/postgres/testing.ts';
import { objectStoreContract } from './object-store-contract.ts';
import { PostgresObjects } from './postgres.ts';

let postgres: TestPostgres;
let options: SessionOptions;
beforeAll(async () => {
  postgres = await TestPostgres.start();
  options = await newDatabase();
});
afterAll(() => postgres[Symbol.asyncDispose]());

/** With the tables of a store of studies. */
async function newDatabase(): Promise<SessionOptions> {
  const made = { database: parseDatabase(await postgres.newDatabase()), sessions: 2, statementMs: 20_000 };
  const client = await newClient(made);
  await client.connect();
  await migrate(client);
  await client.end();
  return made;
}

let parts = 0;
const open = () => PostgresObjects.open({ kind: 'database', prefix: `part-${++parts}/` }, options);
const urlOf = ({ database }: SessionOptions) => postgres.url(database.database);

objectStoreContract(open);

describe('objects in a database', () => {
  it('lie there as they are, each with its sum, and not compressed', async () => {
    const own = await newDatabase();
    const objects = await PostgresObjects.open({ kind: 'database', prefix: 'checkpoints/' }, own);
    await objects.put('a/0/1.1.ckpt', Buffer.alloc(100_000, 7));
    const rows = await postgres.run(
      `SELECT key, size, encode(sha256, 'hex') = encode(sha256(bytes), 'hex') AS same, pg_column_size(bytes) AS taken
       FROM glocal.objects`,
      urlOf(own),
    );
    expect(rows).toEqual([{ key: 'checkpoints/a/0/1.1.ckpt', size: '100000', same: true, taken: 100_000 }]);
    objects.close();
  });

  it('that are too large are refused, with the place that takes them', async () => {
    const objects = await open();
    const large = Buffer.alloc(objects.maxBytes + 1);
    await expect(objects.put('a', large)).rejects.toMatchObject({
      failure: 'too large',
      message: expect.stringMatching(/has no room for 67108865 bytes .* 67108864; .* --objects s3:/),
    });
    expect(await objects.get('a')).toBeUndefined();
    objects.close();
  });

  it('are away while the database is, and there again with it', async () => {
    const objects = await open();
    await objects.put('a', Buffer.from('abc'));
    await postgres.stop('SIGQUIT');
    try {
      for (const ask of [objects.get('a'), objects.put('a', Buffer.of(1)), objects.check()]) {
        await expect(ask).rejects.toMatchObject({
          failure: 'away',
          message: expect.stringMatching(
            /^the object store in the database at \S+ \(--store\) cannot be reached: ./,
          ),
        });
      }
    } finally {
      await postgres.start();
    }
    expect(Buffer.from((await objects.get('a')) ?? []).toString()).toBe('abc');
    objects.close();
  });

  it('of somebody who may not use them are refused', async () => {
    const own = await newDatabase();
    await postgres.run("CREATE ROLE guest LOGIN PASSWORD 'guest'", urlOf(own));
    const database = parseDatabase(postgres.url(own.database.database, { user: 'guest', password: 'guest' }));
    const objects = await PostgresObjects.open({ kind: 'database', prefix: '' }, { ...own, database });
    const refused = { failure: 'refused', message: expect.stringContaining('(--store) refuses: ') };
    await expect(objects.put('a', Buffer.of(1))).rejects.toMatchObject(refused);
    objects.close();
  });
});
