/** What systemd says of deploy/systemd: units that it understands, and that leave their programs little to do harm with. */

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/trainer.ts';
import { UNITS, unitFolder } from './units.ts';

/** Of ten; systemd calls 1.5 and less well protected. */
const EXPOSURE = 2;

const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0;

describe.skipIf(!hasSystemd).each(UNITS)(
  `$file${hasSystemd ? '' : ' (skipped: no systemd-analyze here)'}`,
  ({ file }) => {
    it('has nothing that systemd does not know', async () => {
      await using folder = await temporaryFolder();
      const unit = join(folder.path, file);
      // The program is elsewhere here.
      const text = readFileSync(join(unitFolder, file), 'utf8').replaceAll(
        '/opt/glocal/target/release/glocal-dmd',
        '/bin/true',
      );
      await writeFile(unit, text);
      const { exitCode, stderr } = await execa('systemd-analyze', ['verify', '--man=no', unit], {
        reject: false,
      });
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    });

    it('leaves its program little to do harm with', async () => {
      const unit = join(unitFolder, file);
      const { stdout } = await execa('systemd-analyze', ['security', '--offline=true', '--no-pager', unit]);
      const [, exposure = '10'] = stdout.match(/Overall exposure level for \S+: ([\d.]+)/) ?? [];
      expect(Number(exposure)).toBeLessThan(EXPOSURE);
    });
  },
);
