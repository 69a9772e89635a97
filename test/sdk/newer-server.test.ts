/** A server of a newer minor version: it says what this SDK does not know, and is understood in all that it does. */

import { Method, Study } from '@glocal/proto/glocal/v1/study';
import { ServerInfo } from '@glocal/proto/glocal/v1/study_service';
import { GlocalClient, InvalidArgumentError } from '@glocal/sdk';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { rejection } from '../support/rejection.ts';
import { type Http2Server, startHttp2Server } from './support/http2-server.ts';
import { STUDY, study } from './support/messages.ts';

/** Field 1000, a text, which no message has. */
const UNHEARD = Buffer.from([0xc2, 0x3e, 0x03, 0x6e, 0x65, 0x77]);
const ESTIMATOR_OF_TOMORROW = 99;

let server: Http2Server;
let client: GlocalClient;
let created: number;
beforeEach(async () => {
  created = 0;
  const method = Method.create({ ...study().method, estimator: ESTIMATOR_OF_TOMORROW as never, window: 50 });
  const found = { ...study(), method, state: 99 as never };
  server = await startHttp2Server((call) => {
    if (call.method === 'CreateStudy') created += 1;
    const message =
      call.method === 'GetServerInfo'
        ? ServerInfo.encode(ServerInfo.create({ version: '0.99.0', backend: 'new' }))
        : Study.encode(found);
    call.begin();
    call.send(Buffer.concat([message.finish(), UNHEARD]));
    call.end();
  });
  client = await GlocalClient.connect({ address: server.address });
});
afterEach(() => {
  client.close();
  server.close();
});

describe('a newer server', () => {
  it('is taken, and what it says beyond this version is passed over', async () => {
    expect(await client.serverInfo()).toMatchObject({ version: '0.99.0', backend: 'new' });
    const found = await client.studies.get(STUDY);
    expect(found).toMatchObject({ name: STUDY, displayName: 'a test', method: { window: 50 } });
  });

  it('may have states and estimators that arrive as unknown, and are not taken for others', async () => {
    const found = await client.studies.get(STUDY);
    expect(found).toMatchObject({ state: 'UNKNOWN', ended: false, method: { estimator: 'unknown' } });
    const again = { ...found, mode: 'managed', training: { steps: 100 } } as const;
    const error = await rejection(client.studies.create(again));
    expect(error).toBeInstanceOf(InvalidArgumentError);
    expect(error.fieldViolations.map(({ field }) => field)).toContain('method.estimator');
    expect(created).toBe(0);
  });
});
