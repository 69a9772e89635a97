/** The process that loads what a user has brought, to say what it is: if that takes a process along, it is this one. */

import { describeArtifact } from '../artifact/description.ts';
import { initBackend } from '../backend/select.ts';
import { DataError } from '../data/errors.ts';
import { ModelError } from '../model/errors.ts';
import { describeModule } from '../problem/description.ts';
import { located, OptionsError } from '../problem/errors.ts';
import { realFolder } from '../problem/folder.ts';
import { endWithParent } from '../process/end-with-parent.ts';
import { tellParent } from '../process/parent.ts';
import type { Asked, DescribeRequest, DescribeResponse } from './describe.ts';

endWithParent();
process.once('message', (request: DescribeRequest) => {
  const refuse = async (error: unknown) => tell(await refusalOf(error, request));
  // Of a module, in a callback of its own.
  if (request.what === 'module') process.once('uncaughtException', refuse);
  describe(request).then((description) => tell({ description }), refuse);
});
// The server is gone, or has heard the answer.
process.once('disconnect', () => process.exit());

async function describe(request: DescribeRequest): Promise<Asked[keyof Asked]> {
  const log = () => {};
  if (request.what === 'module') {
    await initBackend({ backend: request.backend, log });
    return describeModule(request.folder, request.id, request.options);
  }
  await initBackend({ backend: 'cpu', log });
  return describeArtifact(request.kind, request.folder);
}

/** @throws an error that is nobody's but ours: the process ends with it. */
async function refusalOf(error: unknown, request: DescribeRequest): Promise<DescribeResponse> {
  if (request.what === 'module') {
    const root = await realFolder(request.folder).catch(() => request.folder);
    return { refused: located(error, root), isOfOptions: error instanceof OptionsError };
  }
  if (error instanceof DataError || error instanceof ModelError) return { refused: error.message };
  throw error;
}

const tell = (message: DescribeResponse): void => tellParent(message);
