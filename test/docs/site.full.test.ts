/** The SDK's API as pages: a public name without a comment, or a link in one that leads nowhere, fails. */

import { join } from 'node:path';
import { execa } from 'execa';
import { expect, it } from 'vitest';

const site = join(import.meta.dirname, '../../docs/site');

it('every public name of the SDK is documented, and its links lead somewhere', {
  timeout: 300_000,
}, async () => {
  const { exitCode, all } = await execa('typedoc', ['--emit', 'none'], {
    cwd: site,
    preferLocal: true,
    reject: false,
    all: true,
  });
  expect(exitCode, all).toBe(0);
});
