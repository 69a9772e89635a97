/** What the programs of the images can be told, as they say so themselves. */

import { join } from 'node:path';
import { configVariables } from '@glocal/trainer/testing';
import { execa } from 'execa';
import { root } from '../../scripts/root.ts';

const help = {
  'glocal-dmd': [join(root, 'target/release/glocal-dmd'), 'serve', '--help'],
  'glocal-dashboard': [process.execPath, join(root, 'cli/src/main.ts'), 'dashboard', '--help'],
} as const;

const hasHelp = (image: string): image is keyof typeof help => image in help;

/** Of the trainer, which has a table of them. */
const trainerSettings = () => configVariables().map(({ variable }) => variable);

async function helpOf(image: string): Promise<string> {
  if (!hasHelp(image)) throw new Error(`${image} is none of our images`);
  const [program, ...args] = help[image];
  return (await execa(program, args)).stdout;
}

/** Flags of the program in an image, like `--listen`. */
export async function flagsOf(image: string): Promise<string[]> {
  if (image !== 'glocal-trainer') return (await helpOf(image)).match(/(?<=^|\s)--[a-z][a-z-]*/gm) ?? [];
  return trainerSettings().map((name) => name.replace('GLOCAL_', '--').replaceAll('_', '-').toLowerCase());
}

/** Variables that it reads. */
export async function settingsOf(image: string): Promise<string[]> {
  if (image === 'glocal-trainer') return [...trainerSettings(), 'GLOCAL_CACHE_DIR'];
  if (image === 'glocal-dashboard') return (await helpOf(image)).match(/GLOCAL_[A-Z_]+/g) ?? [];
  // A variable for each flag; sections of its file are the first words of their flags.
  return (await flagsOf(image)).map((flag) => {
    const name = flag.slice(2).replaceAll('-', '_').toUpperCase();
    const section = { TLS: 'TLS_', TOKEN: '', LOG: 'LOG_' }[name.split('_')[0] ?? ''];
    if (name === 'TOKEN_FILE') return 'GLOCAL_DMD_AUTH__TOKEN_FILE';
    return `GLOCAL_DMD_${section ? name.replace(section, section.replace('_', '__')) : name}`;
  });
}
