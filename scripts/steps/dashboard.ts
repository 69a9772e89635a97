/** The dashboard's page as its server sends it: JavaScript and styles in dashboard/dist/page. */
import { runQuietly } from '../bootstrap/run-process.mjs';
import { root } from '../root.ts';
import { ensure } from './stamp.ts';

export function ensureDashboard(): Promise<void> {
  return ensure({
    name: 'dashboard',
    doing: "building the dashboard's page",
    inputs: [
      'dashboard/src/page/**',
      'dashboard/src/api.ts',
      'dashboard/vite.config.ts',
      'dashboard/package.json',
      'scripts/steps/dashboard.ts',
      'node_modules/{vite,preact,uplot}/package.json',
      'node_modules/@preact/signals/package.json',
    ],
    except: ['**/*.test.ts'],
    outputs: ['dashboard/dist/page/**'],
    make: () =>
      runQuietly(
        "The dashboard's page could not be built (see above).",
        'npm',
        ['run', 'page', '--workspace', 'dashboard'],
        { cwd: root },
      ),
  });
}
