/** Which settings of security go together. */

import { isLoopback } from '../resource/address.ts';
import { ConfigError } from './errors.ts';
import { flagOf, type SettingName, type Settings, waysTo } from './settings.ts';

/** Each makes no sense without the other. */
const TOGETHER: readonly (readonly [SettingName, SettingName])[] = [
  ['tlsCertificate', 'tlsKey'],
  ['tlsKey', 'tlsCertificate'],
  ['tlsClientCa', 'tlsCertificate'],
  ['tlsClientRole', 'tlsClientCa'],
  ['jwtIssuer', 'jwtKeys'],
  ['jwtAudience', 'jwtKeys'],
  ['jwtRoleClaim', 'jwtKeys'],
  ['jwtKeys', 'jwtIssuer'],
  ['jwtKeys', 'jwtAudience'],
];

/** Whether callers are asked who they are. */
export const authenticates = ({ tokenFile, jwtKeys, tlsClientRole }: Settings): boolean =>
  (tokenFile ?? jwtKeys ?? tlsClientRole) !== undefined;

/** @throws ConfigError naming the settings that do not go together. */
export function checkSecurity(values: Settings): void {
  for (const [name, needed] of TOGETHER) {
    if (values[name] !== undefined && values[needed] === undefined) {
      throw new ConfigError(`${waysTo(name)}: give ${flagOf(needed)}, too`);
    }
  }
  const url = urlOf(values.jwtKeys);
  if (url?.protocol === 'http:' && !isLoopback(url.hostname) && !values.insecure) {
    throw new ConfigError(
      `${waysTo('jwtKeys')}: keys that come in clear text can be replaced on their way; give an https URL or a file`,
    );
  }
}

/** The URL of a key set; undefined when a file is named. */
export const urlOf = (keys: string | undefined): URL | undefined =>
  keys !== undefined && /^https?:\/\//i.test(keys) && URL.canParse(keys) ? new URL(keys) : undefined;
