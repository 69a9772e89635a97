/** The process that loads what a user has brought, to say what it is: if that takes a process along, it is this one. */

import { describeArtifact } from '../artifact/description.ts';
import { initBackend } from '../backend/select.ts';
import { DataError } from '../data/errors.ts';
import { ModelError } from '../model/errors.ts';
import type { DescribeRequest, DescribeResponse } from './describe.ts';

process.once('message', ({ kind, folder }: DescribeRequest) => {
  describe(kind, folder).then(tell, (error: unknown) => {
    if (!(error instanceof DataError) && !(error instanceof ModelError)) throw error;
    tell({ refused: error.message });
  });
});
// The server is gone, or has heard the answer.
process.once('disconnect', () => process.exit());

async function describe(...[kind, folder]: Parameters<typeof describeArtifact>): Promise<DescribeResponse> {
  await initBackend({ backend: 'cpu', log: () => {} });
  return { description: await describeArtifact(kind, folder) };
}

const tell = (message: DescribeResponse): void => {
  if (process.connected) process.send?.(message);
};
