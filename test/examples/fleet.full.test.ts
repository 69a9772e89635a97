/** The same programs, unchanged, with a fleet whose servers they are given all addresses of; one of them is killed. */

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { trainingProcesses } from '../support/processes.ts';
import { type FleetProcess, RoleFleet } from '../support/role-fleet.ts';
import { temporaryFolder } from '../support/trainer.ts';
import { expectDriven, expectManaged, expectReadmeProgram, expectRidge, startExample } from './programs.ts';

let fleet: RoleFleet;
/** Of all servers. */
let address: string;
beforeAll(async () => {
  fleet = await RoleFleet.start({ servers: 2, workers: 2, args: ['--backend', 'wasm'] });
  address = fleet.servers.map((server) => server.address).join(',');
});
afterAll(() => fleet[Symbol.asyncDispose]());
// A test that fails must not take the others along.
afterEach(() => fleet.revive());

const trains = ({ pid }: FleetProcess) => trainingProcesses(pid).length > 0;

describe('on two servers and two workers', { timeout: 1_200_000 }, () => {
  it("the README's program tunes a network and prints its schedule", () => expectReadmeProgram(address));

  it('the example managed.ts watches a study to its end, and has its schedule', async () => {
    expectManaged((await startExample('managed', address)).stdout);
  });

  it('the example ridge.ts tunes its penalty, whichever server dies meanwhile', async () => {
    const printed: string[] = [];
    for await (const line of startExample('ridge', address)) {
      printed.push(line);
      if (printed.length === 10) await fleet.servers[0]?.kill();
      if (printed.length === 20) await fleet.servers[0]?.start();
      if (printed.length === 25) await fleet.servers[1]?.kill();
    }
    expectRidge(printed);
  });

  it('the example drive.ts decides about each window, and takes the same path when servers and workers die', async () => {
    await using folder = await temporaryFolder();
    const run = (name: string) => startExample('drive', address, { STATE: `${folder.path}/${name}.json` });
    const { stdout: whole } = await run('whole');
    expectDriven(whole);
    const [one, other] = fleet.servers;
    const disturbed: string[] = [];
    for await (const line of run('disturbed')) {
      disturbed.push(line);
      if (disturbed.length === 2) await one?.kill();
      if (disturbed.length === 3) {
        await one?.start();
        await other?.kill();
      }
      if (disturbed.length === 4) await fleet.workers.find(trains)?.kill();
    }
    expect(fleet.workers.filter(({ running }) => running)).toHaveLength(1);
    expect(disturbed).toEqual(whole);
  });
});
