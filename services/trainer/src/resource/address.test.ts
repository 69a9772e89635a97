import { describe, expect, it } from 'vitest';
import { isLoopback } from './address.ts';

describe('a host', () => {
  it.each([
    ...[
      'localhost',
      'LocalHost',
      'localhost.',
      '127.0.0.1',
      '127.9.9.9',
      '[::1]',
      '::1',
      '[0:0:0:0:0:0:0:1]',
    ],
    ...['[::ffff:127.0.0.1]', '[::ffff:7f00:1]'],
  ])('is this machine: %s', (host) => {
    expect(isLoopback(host)).toBe(true);
  });

  it.each([
    ...['0.0.0.0', '[::]', '192.168.0.1', '128.0.0.1', '[::ffff:192.168.0.1]', '[::2]'],
    ...['example.org', 'localhost.example.org', '127.0.0.1.example.org', 'localhost..', ''],
  ])('may be another machine: "%s"', (host) => {
    expect(isLoopback(host)).toBe(false);
  });
});
