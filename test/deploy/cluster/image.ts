/**
 * What stands in for the file system of an image: this machine's programs and libraries, a checkout of the sources, and the
 * programs of the images where deploy/images/README.md says that they are. That the images themselves hold what they need
 * is for the tests of the images.
 */

import { realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { root } from '../../../scripts/root.ts';

/** A file or folder of this machine that is seen in a container, and cannot be changed there. */
export interface Inside {
  readonly path: string;
  readonly source: string;
}

export interface Image {
  readonly entrypoint: readonly string[];
  /** Arguments unless the container has its own. */
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly inside: readonly Inside[];
  /** Scripts in /usr/bin, by name. */
  readonly scripts: Readonly<Record<string, string>>;
  /** Numbers of the user and of the group. */
  readonly user: number;
}

const SOURCES = '/opt/glocal';
const NODE = '/opt/node';
const CACHE = '/opt/cache';
const USER = 65_532;

const script = (main: string, env = '') => `#!/bin/sh\n${env}exec ${NODE}/node ${SOURCES}/${main} "$@"\n`;
const dmd: Inside = {
  path: '/usr/bin/glocal-dmd',
  source: realpathSync(join(root, 'target/release/glocal-dmd')),
};
const sources: readonly Inside[] = [
  { path: SOURCES, source: root },
  { path: NODE, source: dirname(realpathSync(process.execPath)) },
];
const common = { user: USER, env: { PATH: '/usr/bin:/bin' } };

const IMAGES: Readonly<Record<string, Image>> = {
  'glocal-trainer': {
    ...common,
    entrypoint: ['/usr/bin/glocal-trainer'],
    command: [],
    env: { ...common.env, GLOCAL_CACHE_DIR: CACHE, GLOCAL_DMD_BINARY: dmd.path, HOME: '/var/lib/glocal' },
    inside: [
      ...sources,
      dmd,
      { path: CACHE, source: process.env.GLOCAL_CACHE_DIR ?? join(homedir(), '.cache', 'glocal') },
    ],
    scripts: { 'glocal-trainer': script('services/trainer/src/main.ts') },
  },
  'glocal-dmd': { ...common, entrypoint: [dmd.path], command: ['serve'], inside: [dmd], scripts: {} },
  'glocal-dashboard': {
    ...common,
    entrypoint: ['/usr/bin/glocal'],
    command: ['dashboard'],
    inside: sources,
    scripts: { glocal: script('cli/src/main.ts') },
  },
};

/** @param reference like `registry.example/glocal-trainer:0.1.0@sha256:…`. */
export function imageOf(reference: string): Image {
  const name = (reference.split('/').at(-1) ?? '').replace(/[:@].*$/, '').replace(/-gpu$/, '');
  const image = IMAGES[name];
  if (image === undefined) throw new Error(`no image stands in for ${reference}`);
  return image;
}
