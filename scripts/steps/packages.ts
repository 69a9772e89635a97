/**
 * The packages that others install, each as a tarball. The SDK's folder is one as it is; the programs, which run from their
 * TypeScript here, are put together in their `dist` folder first, with a manifest of their own.
 */
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, runQuietly } from '../bootstrap/run-process.mjs';
import { root } from '../root.ts';
import { type Manifest, publishedManifest, withoutScripts } from './published-manifest.ts';
import { ensureSdk } from './sdk.ts';
import { ensure } from './stamp.ts';

/** A program as others install it. */
interface Program {
  /** Of its sources, with a `tsdown.config.ts` that builds `dist/lib`. */
  readonly folder: string;
  /**
   * Dependencies that come inside the tarball, because what they do when npm installs them is not wanted: the files that are
   * needed of them, and which of their dependencies those need.
   */
  readonly inside?: Readonly<
    Record<string, { readonly files: readonly string[]; readonly needs: readonly string[] }>
  >;
}

const PROGRAMS: readonly Program[] = [
  {
    folder: 'services/trainer',
    inside: {
      // Its install script downloads an older TensorFlow and compiles against that; `backend/native-setup.ts` does it for ours.
      '@tensorflow/tfjs-node': {
        files: ['dist', 'binding'],
        needs: ['@mapbox/node-pre-gyp', '@tensorflow/tfjs', 'google-protobuf', 'progress'],
      },
    },
  },
  { folder: 'dashboard' },
  { folder: 'cli' },
];

/** Folders that are packed. */
const PACKAGES = ['sdk', ...PROGRAMS.map(({ folder }) => join(folder, 'dist'))];

/** Builds everything that is packed. */
export async function ensurePackages(): Promise<void> {
  await ensureSdk();
  for (const program of PROGRAMS) await ensureProgram(program);
}

/**
 * Packs what {@link ensurePackages} has built.
 *
 * @param destination a folder, which is made
 * @param folders of the packages, relative to the checkout's top
 * @returns paths of the tarballs
 */
export async function packAll(destination: string, folders: readonly string[] = PACKAGES): Promise<string[]> {
  mkdirSync(destination, { recursive: true });
  const tarballs: string[] = [];
  for (const folder of folders) {
    const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', destination];
    const { code, output } = await run('npm', args, { cwd: join(root, folder), capture: true });
    if (code !== 0) throw new Error(`npm pack in ${folder}: ${output}`);
    const [{ filename }] = JSON.parse(output.slice(output.indexOf('[\n'))) as [{ filename: string }];
    tarballs.push(join(destination, filename));
  }
  return tarballs;
}

const ensureProgram = (program: Program): Promise<void> =>
  ensure({
    name: `package-${program.folder.replace('/', '-')}`,
    doing: `building ${program.folder} for its package`,
    inputs: [
      ...['src/**', 'data/**', 'package.json', 'tsdown.config.ts', 'README.md'].map((path) =>
        join(program.folder, path),
      ),
      ...[
        'proto/gen/**',
        'proto/unknown-fields.ts',
        'LICENSE',
        'scripts/steps/packages.ts',
        'scripts/steps/published-manifest.ts',
      ],
      'node_modules/tsdown/package.json',
    ],
    except: ['**/*.test.ts'],
    outputs: [join(program.folder, 'dist/**')],
    make: () => assemble(program),
  });

async function assemble({ folder, inside = {} }: Program): Promise<void> {
  const from = join(root, folder);
  const dist = join(from, 'dist');
  await runQuietly(
    `${folder} could not be built for its package (see above).`,
    'npm',
    ['run', 'build', '--workspace', folder],
    { cwd: root },
  );
  const manifest = publishedManifest(readManifest(from));
  const brought = Object.entries(inside).map(([name, { files, needs }]) => ({
    ...{ name, files },
    manifest: withoutScripts(readManifest(join(root, 'node_modules', name)), needs),
  }));
  // npm installs nothing for what comes inside: what that needs is needed by the package.
  const dependencies = Object.assign(
    {},
    manifest.dependencies,
    ...brought.map((one) => one.manifest.dependencies),
  );
  writeManifest(dist, {
    ...{ ...manifest, dependencies },
    ...(brought.length > 0 && { bundleDependencies: brought.map(({ name }) => name) }),
  });
  copyFileSync(join(root, 'LICENSE'), join(dist, 'LICENSE'));
  copyFileSync(join(from, 'README.md'), join(dist, 'README.md'));
  for (const { name, files, manifest: itsManifest } of brought) {
    const source = join(root, 'node_modules', name);
    const target = join(dist, 'node_modules', name);
    for (const file of files) {
      const isNeeded = (path: string): boolean => !/_test\.(js|d\.ts)$/.test(path);
      cpSync(join(source, file), join(target, file), { recursive: true, filter: isNeeded });
    }
    writeManifest(target, itsManifest);
  }
}

const readManifest = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));

function writeManifest(folder: string, manifest: Manifest): void {
  if (!existsSync(folder)) mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}
