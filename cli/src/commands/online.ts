/** Commands that ask a server. */

import type { GlocalClient, Study } from '@glocal/sdk';
import type { Command } from 'commander';
import { type ConnectionFlags, connect, withConnection } from '../connection.ts';
import { studyName } from '../names.ts';
import { leaf } from '../output.ts';

/** What every command that asks a server has. */
export interface OnlineFlags extends ConnectionFlags {
  readonly json?: boolean;
}

/** A command with the flags of the connection. */
export const online = (...words: Parameters<typeof leaf>): Command => withConnection(leaf(...words));

/** Does something with a client, and closes it. */
export async function withClient(
  flags: ConnectionFlags,
  use: (client: GlocalClient) => Promise<void>,
): Promise<void> {
  const client = await connect(flags);
  try {
    await use(client);
  } finally {
    client.close();
  }
}

/** The same with a study. */
export const withStudy = (
  name: string,
  flags: ConnectionFlags,
  use: (study: Study, client: GlocalClient) => Promise<void>,
): Promise<void> =>
  withClient(flags, async (client) => use(await client.studies.get(studyName(name)), client));
