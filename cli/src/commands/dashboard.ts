/** `glocal dashboard`: pages in a browser that show what studies do, and steer them. */

import type { CertificatePair } from '@glocal/dashboard';
import { type Command, Option } from 'commander';
import { interruption } from '../command-line.ts';
import { clientOptions, read } from '../connection.ts';
import { checkDashboard } from '../dashboard-check.ts';
import { CommandError, UNAVAILABLE, USAGE } from '../exit.ts';
import { note, print } from '../output.ts';
import { type OnlineFlags, online } from './online.ts';

interface DashboardFlags extends OnlineFlags {
  readonly listen: string;
  readonly listenTlsCert?: string;
  readonly listenTlsKey?: string;
  readonly login?: boolean;
  readonly check?: boolean;
}

/** Flags by the options of the dashboard. */
const FLAGS = { listen: '--listen', tls: '--listen-tls-cert, --listen-tls-key', login: '--login' } as const;

export const dashboard = (): Command =>
  online(
    'dashboard',
    'pages in a browser that show what studies do, and steer them; until Ctrl-C',
    'glocal dashboard --listen 127.0.0.1:8090',
  )
    .addOption(
      new Option('--listen <host:port>', 'where the pages are; port 0 takes a free one')
        .env('GLOCAL_DASHBOARD_LISTEN')
        .default('127.0.0.1:8090'),
    )
    .addOption(
      new Option('--listen-tls-cert <file>', "PEM file with the pages' certificate; encrypts them").env(
        'GLOCAL_DASHBOARD_TLS_CERT',
      ),
    )
    .addOption(
      new Option('--listen-tls-key <file>', 'PEM file with its private key').env('GLOCAL_DASHBOARD_TLS_KEY'),
    )
    .addOption(
      new Option('--login', 'asks everybody for their own token, as it does with a certificate').env(
        'GLOCAL_DASHBOARD_LOGIN',
      ),
    )
    .option(
      '--check',
      'asks a dashboard that runs with these settings for its page, and says whether it came',
    )
    .action(async (flags: DashboardFlags) => {
      if (flags.check) {
        await checkDashboard(flags.listen, flags.listenTlsCert !== undefined);
        print(flags.json, { status: 'SERVING' }, () => 'SERVING');
        return;
      }
      // No other command serves pages.
      const { DashboardOptionsError, startDashboard } = await import('@glocal/dashboard');
      const signal = interruption();
      const tls = certificate(flags);
      try {
        await using running = await startDashboard({
          client: clientOptions(flags),
          listen: flags.listen,
          ...(tls && { tls }),
          ...(flags.login && { login: true }),
          log: note,
        });
        const { url } = running;
        print(flags.json, { url, pid: process.pid }, () => `dashboard at ${url}`);
        if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
      } catch (error) {
        if (error instanceof DashboardOptionsError)
          throw new CommandError(`${FLAGS[error.option]}: ${error.why}`, USAGE);
        const { code, message } = error as NodeJS.ErrnoException;
        if (code === 'EADDRINUSE' || code === 'EACCES' || code === 'EADDRNOTAVAIL')
          throw new CommandError(`--listen ${flags.listen}: ${message}`, UNAVAILABLE);
        throw error;
      }
    });

/** Reads both files, now and whenever it is asked; undefined where there are none. @throws CommandError */
function certificate({ listenTlsCert, listenTlsKey }: DashboardFlags): (() => CertificatePair) | undefined {
  if (listenTlsCert === undefined && listenTlsKey === undefined) return undefined;
  if (listenTlsCert === undefined || listenTlsKey === undefined)
    throw new CommandError('--listen-tls-cert and --listen-tls-key belong together', USAGE);
  const pair = () => ({
    cert: read('--listen-tls-cert', listenTlsCert),
    key: read('--listen-tls-key', listenTlsKey),
  });
  // What is not there at the start is said at once.
  pair();
  return pair;
}
