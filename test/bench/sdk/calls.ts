/** A unary call through the SDK beside the same call with nothing but grpc-js and the generated code. */

import { GetServerInfoRequest, StudyServiceClient } from '@glocal/proto/glocal/v1/study_service';
import { GlocalClient } from '@glocal/sdk';
import { credentials } from '@grpc/grpc-js';
import { type Row, ratioRow } from '../row.ts';
import { benchServer } from '../service/server.ts';

const WARM_UP = 300;
const CALLS = 2_000;

/** `sdk.overhead_over_raw_grpc`: medians of calls that take turns, one at a time. */
export async function callRows(): Promise<Row[]> {
  await using server = await benchServer();
  await using client = await GlocalClient.connect({ address: server.address });
  const raw = new StudyServiceClient(server.address, credentials.createInsecure());
  const ofSdk: number[] = [];
  const ofRaw: number[] = [];
  for (let i = 0; i < WARM_UP + CALLS; i++) {
    const sdk = await timed(() => client.serverInfo());
    const plain = await timed(() => rawServerInfo(raw));
    if (i < WARM_UP) continue;
    ofSdk.push(sdk);
    ofRaw.push(plain);
  }
  raw.close();
  return [ratioRow('sdk.overhead_over_raw_grpc', ofSdk, ofRaw)];
}

const rawServerInfo = (client: StudyServiceClient): Promise<unknown> =>
  new Promise((resolve, reject) => {
    client.getServerInfo(GetServerInfoRequest.create(), (error, info) =>
      error === null ? resolve(info) : reject(error),
    );
  });

async function timed(call: () => Promise<unknown>): Promise<number> {
  const before = performance.now();
  await call();
  return performance.now() - before;
}
