/** What a dashboard is started with. */

import type { ClientOptions } from '@glocal/sdk';

/** PEM texts. */
export interface CertificatePair {
  readonly cert: string;
  readonly key: string;
}

export interface DashboardOptions {
  /** The trainer, and how to reach it. */
  readonly client: ClientOptions;
  /** `host:port` to listen at; port 0 takes a free one. @default '127.0.0.1:8090' */
  readonly listen?: string;
  /**
   * With it the pages come encrypted; without, only this machine is served. A function is asked every two seconds, so that a
   * certificate may be replaced: new connections have the new one. Where it throws, or gives a certificate without its key, what was
   * there before holds, and `log` is told.
   */
  readonly tls?: CertificatePair | (() => CertificatePair);
  /**
   * Whether whoever opens the pages has to give a token of the trainer's, and sees what that may see. @default only with `tls`
   */
  readonly login?: boolean;
  /** Told of what fails here: one line each. @default standard error */
  readonly log?: (line: string) => void;
}

/** Something about an option that cannot be; the message names it. */
export class DashboardOptionsError extends Error {
  override readonly name = 'DashboardOptionsError';
  readonly option: 'listen' | 'tls' | 'login';
  /** The message without the option. */
  readonly why: string;

  constructor(option: DashboardOptionsError['option'], why: string) {
    super(`${option}: ${why}`);
    this.option = option;
    this.why = why;
  }
}

/** Where to listen. @throws DashboardOptionsError */
export function listenAt(listen: string): { readonly host: string; readonly port: number } {
  const [, inBrackets, plain, port] = /^(?:\[([0-9a-f:.]+)\]|([^\s:/[\]]+)):(\d{1,5})$/i.exec(listen) ?? [];
  const host = inBrackets ?? plain;
  if (host === undefined || Number(port) > 65_535) {
    throw new DashboardOptionsError(
      'listen',
      `"${listen}" is not of the form host:port, for instance 127.0.0.1:8090`,
    );
  }
  return { host, port: Number(port) };
}

/** Whether only programs of this machine can reach the host. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
