import { describe, expect, it } from 'vitest';
import { ConfigError } from './errors.ts';
import { checkVariables } from './variables.ts';

const OWN = ['GLOCAL_LISTEN', 'GLOCAL_STORE', 'GLOCAL_DMD_ADDRESS', 'GLOCAL_DMD_BINARY'];
const check = (environment: NodeJS.ProcessEnv) => checkVariables(OWN, environment);

/** What Kubernetes tells a container about a Service with one port. */
const serviceLinks = (prefix: string, port: number) => ({
  [`${prefix}_SERVICE_HOST`]: '10.0.0.11',
  [`${prefix}_SERVICE_PORT`]: String(port),
  [`${prefix}_SERVICE_PORT_GRPC`]: String(port),
  [`${prefix}_PORT`]: `tcp://10.0.0.11:${port}`,
  [`${prefix}_PORT_${port}_TCP`]: `tcp://10.0.0.11:${port}`,
  [`${prefix}_PORT_${port}_TCP_PROTO`]: 'tcp',
  [`${prefix}_PORT_${port}_TCP_PORT`]: String(port),
  [`${prefix}_PORT_${port}_TCP_ADDR`]: '10.0.0.11',
});

describe('variables that begin with GLOCAL_', () => {
  it.each(['GLOCAL', 'GLOCAL_DMD', 'GLOCAL_TRAINER'])(
    'are left aside when Kubernetes made them for a Service: %s',
    (prefix) => {
      const links = serviceLinks(prefix, 50062);
      expect(check(links)).toEqual(Object.keys(links));
    },
  );

  it('are taken when they are of this program or of another part of the product', () => {
    const names = [
      ...OWN,
      'GLOCAL_DATA_DIR',
      'GLOCAL_FIXTURES',
      'GLOCAL_DMD_LISTEN',
      'GLOCAL_DMD_LIMITS__MAX_ROWS',
      'GLOCAL_CLIENT_TOKEN_FILE',
    ];
    expect(check({ ...Object.fromEntries(names.map((name) => [name, 'x'])), PATH: '/bin' })).toEqual([]);
  });

  it.each([
    ['GLOCAL_LISTN', 'GLOCAL_LISTN: no setting has this name; did you mean GLOCAL_LISTEN?'],
    ['GLOCAL_DMD_ADRESS', 'GLOCAL_DMD_ADRESS: no setting has this name; did you mean GLOCAL_DMD_ADDRESS?'],
    ['GLOCAL_DATADIR', 'GLOCAL_DATADIR: no setting has this name; did you mean GLOCAL_DATA_DIR?'],
    ['GLOCAL_WEATHER', 'GLOCAL_WEATHER: no setting has this name; --help lists those that do'],
    ['GLOCAL_DMD_PORT', 'GLOCAL_DMD_PORT: no setting has this name'],
  ])('are refused when nobody reads them: %s', (name, message) => {
    expect(() => check({ [name]: '50062' })).toThrow(ConfigError);
    expect(() => check({ [name]: '50062' })).toThrow(message);
  });
});
