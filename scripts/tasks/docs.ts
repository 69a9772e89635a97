/** `npm run docs`: the SDK's API as pages in `docs/site/dist`. A public name without a comment, or a link that leads nowhere, fails. */
import { run } from '../bootstrap/run-process.mjs';
import { root } from '../root.ts';

export const docs = async (): Promise<number> =>
  (await run('npm', ['run', 'build', '--workspace', 'docs/site'], { cwd: root })).code;
