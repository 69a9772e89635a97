/** Where campaigns are made: one server on an SQLite file, and a fleet on PostgreSQL. */

import { join } from 'node:path';
import { temporaryFolder } from '../support/trainer.ts';
import { type CampaignOptions, runCampaign, type Tally } from './campaign.ts';
import { FAULTS } from './fault.ts';
import { FLEET_FAULTS, FleetService } from './fleet.ts';
import { Service } from './service.ts';

/** A campaign from its beginning to its end. */
export type Campaign = (options: CampaignOptions) => Promise<Tally>;

export const oneServer: Campaign = async (options) => {
  await using folder = await temporaryFolder();
  await using service = await Service.start(join(folder.path, 'studies.db'), ['--max-running-trials', '2']);
  return await runCampaign(service, FAULTS, options);
};

export const fleet: Campaign = async (options) => {
  await using service = await FleetService.start();
  return await runCampaign(service, FLEET_FAULTS, options);
};
