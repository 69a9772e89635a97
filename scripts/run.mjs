/**
 * What every npm script starts: `node scripts/run.mjs TASK [arguments]`.
 *
 * It runs on whatever Node (20 or newer) npm was started with, so it is plain JavaScript without dependencies. It
 * makes sure of Node 24 and of the npm dependencies, then hands over to `tasks.ts`, which runs on Node 24.
 */
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureDependencies } from './bootstrap/dependencies.mjs';
import { endWithNpm } from './bootstrap/end-with-npm.mjs';
import { describe } from './bootstrap/errors.mjs';
import { ensureNode } from './bootstrap/node.mjs';
import { run } from './bootstrap/run-process.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const oldest = 20;

async function main() {
  if (Number.parseInt(process.versions.node, 10) < oldest) {
    console.error(
      `Node ${oldest} or newer is needed to start, this is ${process.version}: https://nodejs.org`,
    );
    return 1;
  }
  const node = await ensureNode(root);
  // npm, the tools in node_modules/.bin and every child process find Node 24 first.
  process.env.PATH = [dirname(node), join(root, 'node_modules', '.bin'), process.env.PATH].join(delimiter);
  await ensureDependencies(root);
  const { code } = await run(node, [join(root, 'scripts', 'tasks.ts'), ...process.argv.slice(2)], {
    cwd: root,
  });
  return code;
}

endWithNpm();
try {
  process.exitCode = await main();
} catch (error) {
  console.error(describe(error));
  process.exitCode = 1;
}
