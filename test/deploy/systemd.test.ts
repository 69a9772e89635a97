/** deploy/systemd: units whose settings programs know, and that end them in order. */

import { describe, expect, it, vi } from 'vitest';
import { settingsOf } from './programs.ts';
import { UNITS } from './units.ts';

// Programs are asked for their help.
vi.setConfig({ testTimeout: 240_000 });

describe.each(UNITS)('$file', ({ image, environment, settings }) => {
  it('sets variables that its program knows', async () => {
    const known = await settingsOf(image);
    const ours = Object.keys(environment).filter((name) => name.startsWith('GLOCAL_'));
    expect(known).toEqual(expect.arrayContaining(ours));
  });

  it('waits longer for its end than that takes', () => {
    const drain = Number(environment.GLOCAL_DRAIN_SECONDS ?? 10);
    // Nobody has told the service manager: then it is 90 seconds.
    expect(Number(settings.TimeoutStopSec ?? 90)).toBeGreaterThan(drain + 10);
  });

  it('asks who calls, over TLS', () => {
    const names = Object.keys(environment).join(' ');
    expect(names).toMatch(/TLS_+CERT/);
    if (image !== 'glocal-dashboard') expect(names).toMatch(/TOKEN_FILE/);
    expect(names).not.toMatch(/INSECURE/);
  });
});
