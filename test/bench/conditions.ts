/** What figures hold for. */

import { arch, cpus, loadavg, platform, totalmem } from 'node:os';
import { chooseBackend } from '@glocal/trainer/backend';

/** Machine and programs in one line. The load tells a quiet machine from a busy one, before this adds to it. */
export function describeConditions(): string {
  const processors = cpus();
  const [load = 0] = loadavg();
  const machine = [
    `${processors.length} × ${processors[0]?.model.trim() ?? 'unknown processor'} (${platform()} ${arch()})`,
    `${Math.round(totalmem() / 2 ** 30)} GiB`,
    `load ${load.toFixed(1)} at the start`,
  ];
  return [...machine, chooseBackend().description, `Node ${process.versions.node}`].join(', ');
}
