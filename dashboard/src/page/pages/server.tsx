/** The trainer: its version, what it computes with, its limits, its DMD service, and who one is to it. */

import { useEffect, useState } from 'preact/hooks';
import type { Fault, SessionInfo } from '../../api.ts';
import { bytes, count, words } from '../format.ts';
import { FaultNote, Section, Waiting } from '../parts/common.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { ask, faultOf } from '../state/http.ts';
import { connection } from '../state/stream.ts';

interface ServerData {
  readonly version: string;
  readonly backend: string;
  readonly dmdAddress: string;
  readonly limits: Readonly<Record<string, number>>;
  readonly dmd?: { readonly reachable: boolean; readonly version: string; readonly reason: string };
  readonly caller?: { readonly owner: string; readonly role: string };
}

/** Milliseconds between two looks. */
const PAUSE = 5_000;

export function ServerPage() {
  const [server, setServer] = useState<ServerData | undefined>(undefined);
  const [session, setSession] = useState<SessionInfo | undefined>(undefined);
  const [fault, setFault] = useState<Fault | undefined>(undefined);
  const load = async () => {
    try {
      setServer(await ask<ServerData>('/api/server'));
      setFault(undefined);
    } catch (error) {
      setFault(faultOf(error));
    }
  };
  useEffect(() => {
    void ask<SessionInfo>('/api/session').then(setSession, () => undefined);
    void load();
    const timer = setInterval(() => void load(), PAUSE);
    return () => clearInterval(timer);
  }, []);
  const leave = async () => {
    await ask('/api/session', { method: 'DELETE' }).catch(() => undefined);
    location.assign('/');
  };
  return (
    <div>
      <PageHead title="Server" />
      {fault && <FaultNote fault={fault} onRetry={() => void load()} />}
      {!server && !fault && <Waiting what="the server" />}
      {server && (
        <div class="grid two">
          <div class="grid flat">
            <Section title="Trainer">
              <dl class="facts">
                <Fact name="Address" value={session?.address} />
                <Fact name="Version" value={server.version} />
                <Fact name="Computes with" value={server.backend} />
                <Fact name="Dashboard" value={session?.version} />
                <Fact
                  name="Live"
                  value={connection.value.trainer ? 'yes' : `no: ${connection.value.message}`}
                />
              </dl>
            </Section>
            <Section title="DMD service">
              <dl class="facts">
                <Fact name="Address" value={server.dmdAddress} />
                <Fact name="Version" value={server.dmd?.version || '–'} />
                <Fact
                  name="Answers"
                  value={
                    server.dmd === undefined
                      ? 'not known'
                      : server.dmd.reachable
                        ? '✓ yes'
                        : `✗ no: ${server.dmd.reason}`
                  }
                />
              </dl>
              {server.dmd && !server.dmd.reachable && (
                <p class="note bad">
                  Studies of the estimator glocal use the local hypergradient, or wait, until it is back.{' '}
                  <code>glocal doctor</code> says what to do.
                </p>
              )}
            </Section>
            <Section title="You">
              {server.caller ? (
                <dl class="facts">
                  <Fact name="Owner" value={server.caller.owner} />
                  <Fact name="Role" value={server.caller.role.toLowerCase()} />
                </dl>
              ) : (
                <p>The trainer does not ask who calls.</p>
              )}
              {session?.login === 'done' && (
                <button type="button" onClick={() => void leave()}>
                  Forget my token here
                </button>
              )}
            </Section>
          </div>
          <Section title="Limits">
            <dl class="facts">
              {Object.entries(server.limits).map(([name, value]) => (
                <Fact
                  key={name}
                  name={words(name.replace(/^max/, 'most'))}
                  value={/bytes/i.test(name) ? bytes(value) : count(value)}
                />
              ))}
            </dl>
          </Section>
        </div>
      )}
    </div>
  );
}

const Fact = ({ name, value }: { readonly name: string; readonly value: string | undefined }) => (
  <div>
    <dt>{name}</dt>
    <dd>{value ?? '–'}</dd>
  </div>
);
