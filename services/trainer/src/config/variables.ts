/** Which variables of the environment may begin with `GLOCAL_`: a misspelt one would silently leave a default in force. */

import { ConfigError } from './errors.ts';
import { didYouMean } from './similar.ts';

const PREFIX = 'GLOCAL_';

/** Read by other parts of the product: data sets, the native runtime, the SDK, benchmarks, the DMD service. */
const OF_OTHERS: readonly string[] = [
  ...['GLOCAL_DATA_DIR', 'GLOCAL_CACHE_DIR', 'GLOCAL_RUNTIME', 'GLOCAL_ADDRESS', 'GLOCAL_FIXTURES'],
  ...['GLOCAL_DMD_LISTEN', 'GLOCAL_DMD_METRICS_LISTEN', 'GLOCAL_DMD_INSECURE'],
  ...['GLOCAL_DMD_DRAIN_SECONDS', 'GLOCAL_DMD_CONFIG'],
];

/** Sections of the DMD service's settings, which it checks itself. */
const DMD_SECTION = /^GLOCAL_DMD_[A-Z]+__/;
/** How the command line reaches a server. */
const CLIENT = /^GLOCAL_CLIENT_/;

/**
 * Checks the names of the variables that begin with `GLOCAL_`.
 * @param own variables of this program.
 * @returns those to leave aside: Kubernetes tells every container about every Service of its namespace, and a Service named
 *   `glocal-dmd` is told of by `GLOCAL_DMD_PORT=tcp://…` and six more.
 * @throws ConfigError naming one that nobody reads, and what it was probably meant to be.
 */
export function checkVariables(own: readonly string[], environment: NodeJS.ProcessEnv): readonly string[] {
  const known = [...own, ...OF_OTHERS];
  const others = Object.entries(environment).filter(
    ([name]) =>
      name.startsWith(PREFIX) && !known.includes(name) && !DMD_SECTION.test(name) && !CLIENT.test(name),
  );
  for (const [name, value = ''] of others) {
    if (isServiceLink(name, value)) continue;
    const hint = didYouMean(name, known, '--help lists those that do');
    throw new ConfigError(`${name}: no setting has this name; ${hint}`);
  }
  return others.map(([name]) => name);
}

/** Whether Kubernetes makes such a variable for a Service whose name begins with `glocal`. */
function isServiceLink(name: string, value: string): boolean {
  return (
    /_SERVICE_(HOST|PORT|PORT_\w+)$/.test(name) ||
    /_PORT_\d+_(TCP|UDP|SCTP)(_(ADDR|PORT|PROTO))?$/.test(name) ||
    (name.endsWith('_PORT') && /^(tcp|udp|sctp):\/\//.test(value))
  );
}
