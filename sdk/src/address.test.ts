import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { resolveTarget } from './address.ts';

beforeEach(() => vi.stubEnv('GLOCAL_ADDRESS', undefined));
afterEach(() => vi.unstubAllEnvs());

describe('resolveTarget', () => {
  it('takes the address given, then GLOCAL_ADDRESS, then the default', () => {
    expect(resolveTarget({}).addresses).toEqual(['localhost:50061']);
    vi.stubEnv('GLOCAL_ADDRESS', '127.0.0.1:7001');
    expect(resolveTarget({}).addresses).toEqual(['127.0.0.1:7001']);
    expect(resolveTarget({ address: '127.0.0.1:7002' }).addresses).toEqual(['127.0.0.1:7002']);
    vi.stubEnv('GLOCAL_ADDRESS', '');
    expect(resolveTarget({}).addresses).toEqual(['localhost:50061']);
  });

  it.each([
    'localhost:1',
    'LOCALHOST:1',
    'a.localhost:1',
    'localhost.:1',
    'a.localhost.:1',
    '127.0.0.1:1',
    '127.8.9.10:1',
    '[::1]:1',
    '[0:0:0:0:0:0:0:1]:1',
    '[::ffff:127.0.0.1]:1',
    '[::FFFF:7f00:1]:1',
    'unix:/tmp/x',
    'dns:///localhost:1',
    'dns:127.0.0.1:1',
  ])('sends in the clear to %s, on this machine', (address) => {
    expect(resolveTarget({ address })).toEqual({ addresses: [address], tls: undefined });
  });

  it.each([
    'trainer:1',
    '10.0.0.1:1',
    'localhost.example.com:1',
    '[2001:db8::1]:1',
    '127.0.0.1.example.com:1',
    '0.0.0.0:1',
    'localhost..:1',
    'notlocalhost:1',
    '[::ffff:10.0.0.1]:1',
    '[::2]:1',
    'dns:///trainers.example.com:1',
  ])('refuses to send in the clear to %s, unless told to', (address) => {
    expect(() => resolveTarget({ address })).toThrow(
      expect.objectContaining({
        code: 'FAILED_PRECONDITION',
        reason: 'INSECURE',
        message: expect.stringContaining(address),
      }),
    );
    expect(resolveTarget({ address, insecure: true }).tls).toBeUndefined();
    expect(resolveTarget({ address, tls: true }).tls).toEqual({});
  });

  it.each(['localhost', 'http://localhost:1', 'localhost:', ':1', '::1:1', 'a b:1', 'host:1/path', ''])(
    'refuses "%s", which is not host:port',
    (address) => {
      expect(() => resolveTarget({ address })).toThrow(
        expect.objectContaining({ code: 'INVALID_ARGUMENT', reason: 'ADDRESS' }),
      );
    },
  );

  it('takes several, each of which has to be one', () => {
    const address = ['127.0.0.1:1', 'localhost:2'];
    expect(resolveTarget({ address }).addresses).toEqual(address);
    vi.stubEnv('GLOCAL_ADDRESS', address.join(','));
    expect(resolveTarget({}).addresses).toEqual(address);
    expect(() => resolveTarget({ address: [...address, 'nowhere', ''] })).toThrow(
      expect.objectContaining({ reason: 'ADDRESS', fieldViolations: [expect.anything(), expect.anything()] }),
    );
    expect(() => resolveTarget({ address: [] })).toThrow('address: has no address');
    expect(() => resolveTarget({ address: [...address, 'trainer:1'] })).toThrow(
      expect.objectContaining({ reason: 'INSECURE', message: expect.stringContaining('trainer:1') }),
    );
  });

  it('names GLOCAL_ADDRESS when that is wrong', () => {
    vi.stubEnv('GLOCAL_ADDRESS', 'nowhere');
    expect(() => resolveTarget({})).toThrow('GLOCAL_ADDRESS: "nowhere" is not of the form host:port');
  });

  it('refuses tls and insecure together', () => {
    expect(() => resolveTarget({ tls: true, insecure: true })).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', reason: 'TLS' }),
    );
  });
});
