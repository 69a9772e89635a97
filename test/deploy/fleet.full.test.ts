/**
 * What the chart says is what runs: its containers as processes of this machine, in a network of pods, on a PostgreSQL with TLS. They
 * are rolled out anew, evicted, and lost with their machine, while they train for a client with a certificate and a token.
 */

import { expect, it, vi } from 'vitest';
import { hasGo } from '../support/go.ts';
import { runFleet } from './fleet/run.ts';
import { whyNotInside } from './inside.ts';

vi.setConfig({ testTimeout: 1_800_000 });

const why = whyNotInside ?? (hasGo ? undefined : 'needs Go, to build Helm with');

it.skipIf(why !== undefined)(
  `rolled out anew, evicted and lost with its machine, the fleet of the chart loses nothing${why ? ` (skipped: ${why})` : ''}`,
  async () => {
    const seen = await runFleet({ rollouts: 1, evictions: 2, losses: 1 });
    expect(seen.waiting).toMatch(/there is no (Secret glocal-|key \S+ of Secret glocal-)/);
    expect(seen.caller).toEqual({ owner: 'ada', role: 'WRITE' });
    expect(seen.rotated).toEqual({ certificate: true, token: true, old: 'UNAUTHENTICATED UNKNOWN_TOKEN' });
    expect(seen.findings).toEqual([]);
    expect(seen.unclean).toEqual([]);
    // It was disturbed at work.
    expect(seen.attempts).toBeGreaterThan(seen.trials);
  },
);
