/** `glocal doctor`: looks at all that a study needs, and says how to repair what is wrong. */

import { styleText } from 'node:util';
import type { Command } from 'commander';
import type { Finding, Severity } from '../doctor/finding.ts';
import { disks, program } from '../doctor/machine.ts';
import { studyFindings } from '../doctor/study.ts';
import { CommandError, FAILED } from '../exit.ts';
import { print } from '../output.ts';
import { type OnlineFlags, online } from './online.ts';

const SIGNS: Readonly<Record<Severity, string>> = {
  good: styleText('green', '✓'),
  warning: styleText('yellow', '!'),
  fault: styleText('red', '✗'),
  unknown: styleText('dim', '?'),
};

export const doctor = (): Command =>
  online(
    'doctor',
    'looks at server, versions, DMD service, runtime, data, disk and clock; says how to repair each',
    'glocal doctor -f study.yaml',
  )
    .option('-f, --file <file>', 'also whether the study of this file could run there')
    .action(async (flags: OnlineFlags & { readonly file?: string }) => {
      const findings: Finding[] = [program()];
      // It brings a second client of gRPC's along, which no other command needs.
      const { serverFindings } = await import('../doctor/server.ts');
      const { findings: ofServer, client } = await serverFindings(flags);
      findings.push(...ofServer);
      try {
        if (flags.file !== undefined) findings.push(...(await studyFindings(flags.file, flags, client)));
      } finally {
        client?.close();
      }
      findings.push(...(await disks()));
      print(flags.json, { findings }, () => findings.map(words).join('\n'));
      const faults = findings.filter(({ severity }) => severity === 'fault').length;
      if (faults > 0) throw new CommandError(`${faults} ${faults === 1 ? 'fault' : 'faults'}`, FAILED);
    });

const words = ({ check, severity, detail, repair }: Finding): string => {
  const line = `${SIGNS[severity]} ${check.padEnd(15)} ${detail}`;
  return repair === undefined
    ? line
    : `${line}\n  ${''.padEnd(15)} to repair it: ${styleText('bold', repair)}`;
};
