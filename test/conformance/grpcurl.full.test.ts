/** grpcurl, the client that people reach for first, finds its way about both servers by reflection alone. Needs Go. */

import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { goInstall, hasGo, whereGoIs } from '../support/go.ts';
import { TestTrainer, temporaryFolder } from '../support/trainer.ts';

const GRPCURL = 'github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.3';

const cleanUp = new AsyncDisposableStack();
let trainer: TestTrainer;
let program: string;

beforeAll(async () => {
  program = await goInstall(GRPCURL, cleanUp.use(await temporaryFolder()).path);
  trainer = cleanUp.use(await TestTrainer.start());
}, 600_000);
afterAll(() => cleanUp.disposeAsync());

const grpcurl = async (...args: string[]) => (await execa(program, ['-plaintext', ...args])).stdout;

describe.skipIf(!hasGo)(`grpcurl${whereGoIs}`, () => {
  it('lists the services of both servers', async () => {
    const { dmdAddress } = await trainer.client.serverInfo();
    const lists = await Promise.all([trainer.address, dmdAddress].map((address) => grpcurl(address, 'list')));
    const [studies, dmd] = lists.map((list) => list.split('\n'));
    expect(studies).toEqual(expect.arrayContaining(['glocal.v1.StudyService', 'grpc.health.v1.Health']));
    expect(dmd).toEqual(expect.arrayContaining(['glocal.v1.DmdService', 'grpc.health.v1.Health']));
  });

  it('calls a method with JSON', async () => {
    const answer = await grpcurl(trainer.address, 'glocal.v1.StudyService/ListProblems');
    const { datasets } = JSON.parse(answer) as { datasets: { id: string; trainExamples: number }[] };
    expect(datasets).toContainEqual(
      expect.objectContaining({ id: 'fashion-mnist-10k', trainExamples: 10_000 }),
    );
  });

  it('asks for health', async () => {
    const { dmdAddress } = await trainer.client.serverInfo();
    for (const address of [trainer.address, dmdAddress]) {
      expect(JSON.parse(await grpcurl(address, 'grpc.health.v1.Health/Check'))).toEqual({
        status: 'SERVING',
      });
    }
  });
});
