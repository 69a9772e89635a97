/** What is on every page: where one can go, whether everything is connected, who may look. */

import { useSignal } from '@preact/signals';
import { lazy, Suspense } from 'preact/compat';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import type { SessionInfo } from '../api.ts';
import { Login } from './pages/login.tsx';
import { StudiesPage } from './pages/studies.tsx';
import { setTheme, theme } from './palette.ts';
import { FaultNote, Waiting } from './parts/common.tsx';
import { Help } from './parts/help.tsx';
import { ask, faultOf, onUnauthenticated } from './state/http.ts';
import { followLinks, go, place } from './state/router.ts';
import { connection, listen, stopListening } from './state/stream.ts';
import './style.css';
import 'uplot/dist/uPlot.min.css';

const StudyPage = lazy(() => import('./pages/study.tsx').then((module) => module.StudyPage));
const ComparePage = lazy(() => import('./pages/compare.tsx').then((module) => module.ComparePage));
const WhatIfPage = lazy(() => import('./pages/what-if.tsx').then((module) => module.WhatIfPage));
const CreatePage = lazy(() => import('./pages/create.tsx').then((module) => module.CreatePage));
const DrivePage = lazy(() => import('./pages/drive.tsx').then((module) => module.DrivePage));
const ServerPage = lazy(() => import('./pages/server.tsx').then((module) => module.ServerPage));

const LINKS = [
  ['/', 'Studies'],
  ['/compare', 'Compare'],
  ['/what-if', 'What if'],
  ['/create', 'New study'],
  ['/server', 'Server'],
] as const;

export function App() {
  const session = useSignal<SessionInfo | undefined>(undefined);
  const fault = useSignal<ReturnType<typeof faultOf> | undefined>(undefined);
  const helps = useSignal(false);
  const main = useRef<HTMLElement>(null);
  const { path } = place.value;
  const load = async () => {
    try {
      session.value = await ask<SessionInfo>('/api/session');
      fault.value = undefined;
      if (session.value.login !== 'needed') listen();
    } catch (error) {
      fault.value = faultOf(error);
    }
  };
  useLayoutEffect(() => {
    onUnauthenticated.call = () => {
      stopListening();
      void load();
    };
    void load();
    const onKey = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      if (event.key === '?') helps.value = true;
      if (event.key === '/') {
        event.preventDefault();
        if (place.value.path !== '/') go('/');
        setTimeout(() => document.querySelector<HTMLInputElement>('input[type=search]')?.focus());
      }
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
  const first = useRef(true);
  useEffect(() => {
    // Whoever cannot see the page hears that it is another one.
    if (!first.current) main.current?.focus({ preventScroll: true });
    first.current = false;
  }, [path]);

  return (
    <div class="app" onClick={followLinks}>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <header class="top">
        <a class="brand" href="/">
          <img src="/icon.svg" alt="" width="22" height="22" /> Glocal
        </a>
        <nav aria-label="Pages">
          {LINKS.map(([to, text]) => (
            <a key={to} href={to} aria-current={isAt(path, to) ? 'page' : undefined}>
              {text}
            </a>
          ))}
        </nav>
        <ConnectionMark address={session.value?.address} />
        <label class="theme">
          <span class="hidden">Colours</span>
          <select value={theme.value} onChange={(event) => setTheme(event.currentTarget.value as 'system')}>
            <option value="system">as the system</option>
            <option value="light">light</option>
            <option value="dark">dark</option>
          </select>
        </label>
        <button type="button" class="round" aria-label="Keyboard help" onClick={() => (helps.value = true)}>
          ?
        </button>
      </header>
      <main id="main" ref={main} tabIndex={-1}>
        {fault.value && <FaultNote fault={fault.value} onRetry={() => void load()} />}
        {session.value?.login === 'needed' && <Login onDone={() => void load()} />}
        {/* The page asks for what it shows while it is not known yet whether it may. */}
        {fault.value === undefined && session.value?.login !== 'needed' && (
          <Suspense fallback={<Waiting what="the page" />}>
            <Page path={path} />
          </Suspense>
        )}
      </main>
      {helps.value && <Help onClose={() => (helps.value = false)} />}
    </div>
  );
}

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && target.matches('input:not([type=checkbox]), textarea, select');

const isAt = (path: string, to: string): boolean =>
  to === '/' ? path === '/' || path.startsWith('/studies/') : path.startsWith(to);

function Page({ path }: { readonly path: string }) {
  const [, id, part] = /^\/studies\/([^/]+)(\/drive)?$/.exec(path) ?? [];
  if (path === '/') return <StudiesPage />;
  if (id !== undefined && part !== undefined) return <DrivePage key={id} id={id} />;
  if (id !== undefined) return <StudyPage key={id} id={id} />;
  if (path === '/compare') return <ComparePage />;
  if (path === '/what-if') return <WhatIfPage />;
  if (path === '/create') return <CreatePage />;
  if (path === '/server') return <ServerPage />;
  return (
    <div class="note">
      <strong>There is no such page.</strong> <a href="/">All studies</a> are where one can begin.
    </div>
  );
}

function ConnectionMark({ address }: { readonly address: string | undefined }) {
  const { dashboard, trainer, message } = connection.value;
  const text = dashboard === 'lost' ? 'dashboard away' : trainer ? 'live' : 'trainer away';
  const isGood = dashboard !== 'lost' && trainer;
  return (
    <span class={isGood ? 'live' : 'live away'} role="status" title={message || (address ?? '')}>
      <span aria-hidden="true">{isGood ? '●' : '○'}</span> {dashboard === 'opening' ? 'connecting' : text}
      {!isGood && <span class="hidden"> {message}; it is tried again by itself</span>}
    </span>
  );
}
