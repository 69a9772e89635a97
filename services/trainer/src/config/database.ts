/** URLs of PostgreSQL databases: what they may hold, and how they are shown without a password. */

import { isLoopback } from '../resource/address.ts';
import { ConfigError } from './errors.ts';

/** How a connection is encrypted, as `sslmode` says: not at all, with any certificate, or with one for its host. */
export type DatabaseTls = 'none' | 'unverified' | 'verified';

/** Where a PostgreSQL database is. */
export interface Database {
  /** A name, an address, or the folder of a Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly database: string;
  /** Undefined for that of the system. */
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly tls: DatabaseTls;
  /** PEM files: roots that its certificate must lead to, our own certificate and its key. */
  readonly sslrootcert: string | undefined;
  readonly sslcert: string | undefined;
  readonly sslkey: string | undefined;
}

const FORM = 'postgres://USER@HOST:PORT/DATABASE';

const TLS: Readonly<Record<string, DatabaseTls>> = {
  disable: 'none',
  'no-verify': 'unverified',
  // As the driver has them: each is what libpq calls verify-full.
  require: 'verified',
  'verify-ca': 'verified',
  'verify-full': 'verified',
};

const PARAMETERS = ['host', 'port', 'user', 'password', 'sslmode', 'sslrootcert', 'sslcert', 'sslkey'];

/** Whether a store is a PostgreSQL database. */
export const isDatabase = (store: string): boolean => /^postgres(ql)?:/i.test(store);

/** The URL of any store, without a password. */
export const shownStore = (store: string): string =>
  store.replace(/^([a-z][a-z0-9+.-]+:\/\/[^:@/]*):.*@/is, '$1@').replace(/([?&]password=)[^&]*/gi, '$1...');

/** `host:port`, or the folder of a socket with the port. */
export const placeOf = ({ host, port }: Database): string =>
  `${host.includes(':') ? `[${host}]` : host}:${port}`;

/** @throws ConfigError whose message goes on after the name of the setting, and has no password. */
export function parseDatabase(url: string): Database {
  const shown = shownStore(url);
  // A user without a host is nothing that a URL can have, and usual where the host is a parameter.
  const complete = url.replace('@/', '@localhost/');
  if (!URL.canParse(complete)) throw new ConfigError(`${shown} is not of the form ${FORM}`);
  const { hostname, port, username, password, pathname, searchParams } = new URL(complete);
  const unknown = [...searchParams.keys()].find((name) => !PARAMETERS.includes(name));
  if (unknown !== undefined) {
    throw new ConfigError(`${shown} has "${unknown}", which may be one of ${PARAMETERS.join(', ')}`);
  }
  const given = (name: string, inPath: string) =>
    searchParams.get(name) || decoded(inPath, shown) || undefined;
  const host = given('host', hostname)?.replace(/^\[(.*)\]$/, '$1') ?? 'localhost';
  const database = decoded(pathname.slice(1), shown);
  if (database === '') throw new ConfigError(`${shown} names no database; the form is ${FORM}`);
  const portNumber = Number(given('port', port) ?? 5432);
  if (!Number.isInteger(portNumber) || portNumber < 1 || portNumber > 65_535) {
    throw new ConfigError(`${shown} has no port from 1 to 65535`);
  }
  const mode = searchParams.get('sslmode') ?? 'disable';
  const tls = Object.hasOwn(TLS, mode) ? TLS[mode] : undefined;
  if (tls === undefined) {
    throw new ConfigError(`${shown} has sslmode=${mode}, which may be one of ${Object.keys(TLS).join(', ')}`);
  }
  return {
    ...{ host, port: portNumber, database, tls },
    user: given('user', username),
    password: given('password', password),
    sslrootcert: searchParams.get('sslrootcert') ?? undefined,
    sslcert: searchParams.get('sslcert') ?? undefined,
    sslkey: searchParams.get('sslkey') ?? undefined,
  };
}

/** Whether whoever is on the way to the database could read, or answer, what is sent there. */
export const isExposed = ({ host, tls }: Database): boolean =>
  tls !== 'verified' && !host.startsWith('/') && !isLoopback(host);

function decoded(text: string, shown: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new ConfigError(`${shown} has a % that is no escape; write %25`);
  }
}
