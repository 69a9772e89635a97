/** The commands of docs/security.md, run: a server that asks who calls, and who is told. */

import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GlocalClient } from '@glocal/sdk';
import { spawnTrainer } from '@glocal/trainer';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { withoutSettings } from '../support/environment.ts';
import { temporaryFolder } from '../support/trainer.ts';

const root = join(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'docs/security.md'), 'utf8');
const commands = page.match(/```sh\n(.*?)```/s)?.[1] ?? '';
/** What npm does with `run trainer -- …`, without its set-up. */
const NPM = `#!/bin/sh
while [ "$1" != "--" ]; do shift; done
shift
exec "${process.execPath}" "${join(root, 'services/trainer/src/main.ts')}" "$@"
`;

it('the commands of docs/security.md make a server that knows its callers by their tokens', async () => {
  await using folder = await temporaryFolder();
  const inFolder = (name: string): string => join(folder.path, name);
  await writeFile(inFolder('npm'), NPM, { mode: 0o755 });
  const [made = '', serve = '', asked = ''] = commands.split(/^(npm run trainer -- .*)$/m);
  await execa('sh', ['-ec', made], {
    cwd: folder.path,
    env: { ...withoutSettings(), PATH: `${folder.path}:${process.env.PATH}` },
  });

  const flags = serve.replace('npm run trainer -- ', '').split(' ');
  const args = flags.map((flag) => {
    if (flag.startsWith('--')) return flag;
    return flag.includes(':') ? '127.0.0.1:0' : inFolder(flag);
  });
  const server = await spawnTrainer({ args: [...args, '--store', 'memory:'], env: withoutSettings() });
  try {
    expect(asked).toContain('Bearer $(cat ada.token)');
    await using client = await GlocalClient.connect({
      address: server.address,
      tls: { ca: readFileSync(inFolder('server.pem'), 'utf8'), serverName: 'glocal.example.org' },
      token: readFileSync(inFolder('ada.token'), 'utf8').trim(),
    });
    expect((await client.serverInfo()).caller).toEqual({ owner: 'ada', role: 'WRITE' });
  } finally {
    await server.stop();
  }
});
