/** `glocal-trainer check`: whether a server would come up with these settings, or whether one that runs is healthy. */

import { Command } from 'commander';
import { parseArguments } from '../config/parse.ts';
import { askHealth } from './check-running.ts';
import { checkSettings, type ReadSettings } from './check-settings.ts';
import { CommandError } from './exit.ts';

const READINESS = 'glocal.v1.StudyService';

/**
 * Prints what it found.
 * @param read reads the settings of a server.
 * @throws CommandError, ConfigError
 */
export async function check(
  args: readonly string[],
  read: (args: readonly string[]) => ReadSettings,
): Promise<void> {
  const asks = args.some((arg) => /^(--address(=|$)|--help$|-h$)/.test(arg));
  if (!asks) return checkSettings(read(args));
  const command = new Command('glocal-trainer check')
    .description(
      'Checks what a server would use, and prints it: takes the flags, variables and file that the server takes. With ' +
        '--address it asks a server that runs for its health instead, as probes of containers do: it prints SERVING and ' +
        'ends with code 0, or says what is wrong and ends with 69.',
    )
    .option('--address <host:port>', 'a server that runs')
    .option('--service <name>', `${READINESS} for readiness, "" for liveness`, READINESS)
    .option(
      '--tls-ca <file>',
      'PEM file with the roots that its certificate must lead to; with it TLS is used',
    )
    .option('--tls-certificate <file>', 'PEM file with our own certificate, for mutual TLS')
    .option('--tls-key <file>', 'PEM file with the private key of that certificate')
    .option('--tls-domain <name>', 'name that its certificate is for, if not the host of the address')
    .option('--timeout <seconds>', 'how long to wait for the answer', Number, 5);
  parseArguments(command, args);
  const { address, service, timeout, tlsCa: ca, tlsCertificate, tlsKey, tlsDomain } = command.opts();
  const tls =
    ca === undefined ? undefined : { ca, certificate: tlsCertificate, key: tlsKey, domain: tlsDomain };
  const status = await askHealth({ address, tls, service, timeoutMs: timeout * 1_000 });
  if (status !== 'SERVING') throw new CommandError(`${address} is ${status}`);
  process.stdout.write(`${status}\n`);
}
