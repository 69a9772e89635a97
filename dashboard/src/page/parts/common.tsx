/** Small parts that several pages have. */

import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Fault } from '../../api.ts';
import { STATES } from '../palette.ts';

/** A state with its colour and sign. */
export function State({ state }: { readonly state: string }) {
  const { colour, sign } = STATES[state] ?? { colour: '--none', sign: '?' };
  return (
    <span class="state" style={{ '--is': `var(${colour})` }}>
      <span aria-hidden="true">{sign}</span> {state.toLowerCase()}
    </span>
  );
}

const REPAIRS: Readonly<Record<string, string>> = {
  UNAVAILABLE:
    'Start the trainer (npm run trainer, or glocal serve), or ask glocal doctor what is wrong. This page goes on by itself.',
  UNAUTHENTICATED: 'The trainer asks who calls: give the dashboard a token with --token-file.',
  PERMISSION_DENIED: 'Your token may not do this. Its role is on the page Server.',
  NOT_FOUND: 'It may have been deleted. The list of studies has what there is.',
};

/** What went wrong, and what to do. */
export function FaultNote({ fault, onRetry }: { readonly fault: Fault; readonly onRetry?: () => void }) {
  return (
    <div class="note bad" role="alert">
      <strong>{fault.fieldViolations.length > 0 ? 'This cannot be done:' : fault.message}</strong>
      {fault.fieldViolations.length > 0 && (
        <ul>
          {fault.fieldViolations.map(({ field, description }) => (
            <li key={field + description}>
              {field !== '' && <code>{field}</code>} {description}
            </li>
          ))}
        </ul>
      )}
      {fault.reason !== 'DASHBOARD' && REPAIRS[fault.code] && <p>{REPAIRS[fault.code]}</p>}
      {fault.requestId && <p class="muted">In the trainer's log: request {fault.requestId}</p>}
      {onRetry && (
        <button type="button" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  );
}

/** Nothing is there, and what one can do about it. */
export const Empty = ({
  title,
  children,
}: {
  readonly title: string;
  readonly children?: ComponentChildren;
}) => (
  <div class="note">
    <strong>{title}</strong>
    {children}
  </div>
);

export const Waiting = ({ what }: { readonly what: string }) => (
  <p class="waiting" aria-live="polite">
    Reading {what} …
  </p>
);

/** A part of a page, with its own heading. */
export function Section({
  title,
  about,
  children,
  tools,
}: {
  readonly title: string;
  readonly about?: string | undefined;
  readonly children: ComponentChildren;
  readonly tools?: ComponentChildren;
}) {
  const id = title.toLowerCase().replace(/[^a-z]+/g, '-');
  return (
    <section class="card" id={id} aria-labelledby={`${id}-title`}>
      <header>
        <h2 id={`${id}-title`}>{title}</h2>
        {tools}
      </header>
      {about && <p class="muted about">{about}</p>}
      {children}
    </section>
  );
}

/** Progress as a bar and as text. */
export function Progress({ share, label }: { readonly share: number; readonly label: string }) {
  return <progress max={1} value={Math.min(1, Math.max(0, share))} aria-label={label} title={label} />;
}

interface ConfirmProps {
  readonly question: string;
  readonly consequence: string;
  readonly yes: string;
  readonly danger?: boolean;
  readonly onYes: () => void;
  readonly onNo: () => void;
}

/** Asks before something that cannot be taken back. Escape says no. */
export function Confirm({ question, consequence, yes, danger = false, onYes, onNo }: ConfirmProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  return (
    <dialog ref={dialog} onClose={onNo} aria-labelledby="question">
      <h2 id="question">{question}</h2>
      <p>{consequence}</p>
      <div class="buttons">
        <button type="button" onClick={onNo}>
          No, leave it
        </button>
        <button type="button" class={danger ? 'danger' : 'primary'} onClick={onYes}>
          {yes}
        </button>
      </div>
    </dialog>
  );
}

/** A text that can be taken to the clipboard. */
export function CodeBlock({ text, label }: { readonly text: string; readonly label: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard?.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), 2_000);
  };
  return (
    <div class="code">
      <button type="button" onClick={() => void copy()} aria-label={`Copy ${label}`}>
        {copied ? 'Copied' : 'Copy'}
      </button>
      <pre tabIndex={0} role="region" aria-label={label}>
        {text}
      </pre>
    </div>
  );
}

/** One of several. */
export function Choice<T extends string>({
  label,
  value,
  options,
  onChange,
}: {
  readonly label: string;
  readonly value: T;
  readonly options: readonly (readonly [T, string])[];
  readonly onChange: (value: T) => void;
}) {
  return (
    <label class="choice">
      <span>{label}</span>
      <select value={value} onChange={(event) => onChange(event.currentTarget.value as T)}>
        {options.map(([key, text]) => (
          <option key={key} value={key}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

/** The time, again every so many milliseconds. */
export function useNow(every = 10_000): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), every);
    return () => clearInterval(timer);
  }, [every]);
  return now;
}
