/** All studies: found, sorted, marked for a comparison; live, and without anything that jumps. */

import { useComputed, useSignal, useSignalEffect } from '@preact/signals';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { StudyDigest, StudyRow } from '../../api.ts';
import { Sparkline } from '../charts/sparkline.tsx';
import { ago, cost, count, loss, momentExactly, percent } from '../format.ts';
import { Empty, FaultNote, Progress, State, useNow, Waiting } from '../parts/common.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { go, idOf, place, setQuery, studyPath } from '../state/router.ts';
import {
  complete,
  digests,
  followStudies,
  loaded,
  loadFault,
  loadStudies,
  studies,
  wantAllDigests,
  wantDigests,
} from '../state/studies.ts';

const ROW = 52;
const STATES = ['ACTIVE', 'PAUSED', 'COMPLETED', 'FAILED', 'CANCELLED'];

type Key = 'created' | 'name' | 'state' | 'best' | 'accuracy' | 'cost' | 'progress';
const COLUMNS: readonly (readonly [Key | undefined, string, string])[] = [
  [undefined, 'Compare', 'mark'],
  ['state', 'State', 'is'],
  ['name', 'Study', 'name'],
  ['best', 'Best loss', 'number'],
  ['accuracy', 'Accuracy', 'number wide'],
  [undefined, 'Validation loss', 'wide'],
  ['cost', 'Cost', 'number wide'],
  ['progress', 'Progress', 'wide'],
  ['created', 'Made', 'made'],
];

export function StudiesPage() {
  const { query } = place.value;
  const text = query.get('q') ?? '';
  const state = query.get('state') ?? '';
  const [sort = 'created', direction = sort === 'created' ? 'down' : 'up'] = (
    query.get('sort') ?? 'created'
  ).split('.') as [Key?, string?];
  useLayoutEffect(() => followStudies(), []);

  // The order stays as it is while figures change, until somebody asks for another; new studies come in when that moves nothing.
  const [version, setVersion] = useState(0);
  const shown = useRef<ReadonlySet<string>>(new Set());
  const isComplete = complete.value;
  const isLoaded = loaded.value;
  const known = studies.value;
  const order = useMemo(() => {
    shown.current = new Set(studies.peek().keys());
    return ordered(matching([...studies.peek().values()], text, state), sort, direction, digests.peek());
  }, [text, state, sort, direction, version, isComplete, isLoaded]);
  const rows = order.filter((name) => known.has(name));
  const fresh = [...known.values()].filter(({ name }) => !shown.current.has(name));
  const waiting = matching(fresh, text, state).length;

  // Where there was nothing, nothing moves.
  useEffect(() => {
    if (rows.length === 0 && waiting > 0) setVersion((n) => n + 1);
  }, [rows.length, waiting]);

  const needsAll = sort === 'best' || sort === 'accuracy' || sort === 'cost' || sort === 'progress';
  const digested = digests.value;
  const missing = needsAll ? rows.filter((name) => !digested.has(name)).length : 0;
  useEffect(() => {
    if (!needsAll) return;
    let isCurrent = true;
    void wantAllDigests().then(() => isCurrent && setVersion((n) => n + 1));
    return () => {
      isCurrent = false;
    };
  }, [needsAll, isComplete]);

  const marked = useSignal<ReadonlySet<string>>(new Set());
  const mark = (name: string) => {
    const next = new Set(marked.value);
    if (!next.delete(name)) next.add(name);
    marked.value = next;
  };

  return (
    <div class="studies">
      <PageHead title="Studies">
        <span class="muted grows" aria-live="polite">
          {count(rows.length)}
          {rows.length === known.size ? '' : ` of ${count(known.size)}`}
          {isLoaded && !isComplete ? ', reading the others' : ''}
          {missing > 0 ? `, ${count(missing)} figures still to read` : ''}
        </span>
        <div class="buttons">
          {waiting > 0 && (
            <button type="button" onClick={() => setVersion(version + 1)}>
              Show {waiting} new
            </button>
          )}
          <a
            class={marked.value.size > 0 ? 'button primary' : 'button'}
            href={`/compare?studies=${[...marked.value].map(idOf).join(',')}`}
            aria-disabled={marked.value.size === 0}
          >
            Compare {marked.value.size > 0 ? marked.value.size : ''}
          </a>
          <a class="button primary" href="/create">
            New study
          </a>
        </div>
      </PageHead>
      <div class="filters">
        <label>
          <span class="hidden">Search</span>
          <input
            type="search"
            placeholder="Name, label (team=vision), estimator, data set, owner"
            value={text}
            onInput={(event) => setQuery({ q: event.currentTarget.value })}
          />
        </label>
        <fieldset class="chips">
          <legend class="hidden">States</legend>
          {['', ...STATES].map((one) => (
            <label key={one}>
              <input
                type="radio"
                name="state"
                checked={state === one}
                onChange={() => setQuery({ state: one })}
              />
              {one === '' ? 'all' : one.toLowerCase()}
            </label>
          ))}
        </fieldset>
      </div>
      {loadFault.value && <FaultNote fault={loadFault.value} onRetry={() => void loadStudies()} />}
      {!isLoaded && !loadFault.value && <Waiting what="studies" />}
      {isLoaded && known.size === 0 && (
        <Empty title="There are no studies yet.">
          <p>
            <a href="/create">Start one here</a>, or from a terminal:{' '}
            <code>glocal study create -f study.yaml</code>, or run <code>npm run demo</code>. It appears here
            by itself.
          </p>
        </Empty>
      )}
      {isLoaded && known.size > 0 && rows.length === 0 && (
        <Empty title="No study is like that.">
          <p>
            <button type="button" onClick={() => setQuery({ q: '', state: '' })}>
              Show all {count(known.size)}
            </button>
          </p>
        </Empty>
      )}
      {rows.length > 0 && (
        <StudyTable
          rows={rows}
          sort={sort}
          direction={direction}
          marked={marked.value}
          onMark={mark}
          canTake={waiting > 0 && sort === 'created' && direction === 'down'}
          onTake={() => setVersion((n) => n + 1)}
        />
      )}
    </div>
  );
}

interface TableProps {
  readonly rows: readonly string[];
  readonly sort: Key;
  readonly direction: string;
  readonly marked: ReadonlySet<string>;
  readonly onMark: (name: string) => void;
  /** Whether new studies may come in at the top, which is done when nobody would lose their place. */
  readonly canTake: boolean;
  readonly onTake: () => void;
}

function StudyTable({ rows, sort, direction, marked, onMark, canTake, onTake }: TableProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const range = useSignal<readonly [from: number, to: number]>([0, 30]);
  const focus = useSignal(0);
  const now = useNow();
  const measure = () => {
    const box = scroller.current;
    if (box === null) return;
    const from = Math.max(0, Math.floor(box.scrollTop / ROW) - 6);
    const to = Math.ceil((box.scrollTop + box.clientHeight) / ROW) + 6;
    const [oldFrom, oldTo] = range.peek();
    if (from !== oldFrom || to !== oldTo) range.value = [from, to];
  };
  useEffect(() => {
    measure();
    addEventListener('resize', measure);
    return () => removeEventListener('resize', measure);
  });
  useEffect(() => {
    const box = scroller.current;
    const isAway =
      box === null ||
      (box.scrollTop < ROW && !box.matches(':hover') && !box.contains(document.activeElement));
    if (canTake && isAway) onTake();
  });
  const visible = useComputed(() => range.value);
  const [from, to] = visible.value;
  const window = rows.slice(from, to);
  useEffect(() => {
    const timer = setTimeout(() => void wantDigests(window), 60);
    return () => clearTimeout(timer);
  }, [window.join()]);
  useSignalEffect(() => {
    const index = focus.value;
    const box = scroller.current;
    if (box === null || !box.contains(document.activeElement)) return;
    const top = index * ROW;
    if (top < box.scrollTop) box.scrollTop = top;
    if (top + ROW > box.scrollTop + box.clientHeight - ROW) box.scrollTop = top + 2 * ROW - box.clientHeight;
    requestAnimationFrame(() =>
      box.querySelector<HTMLElement>(`[data-index="${index}"]`)?.focus({ preventScroll: true }),
    );
  });
  const onKey = (event: KeyboardEvent) => {
    const by = { ArrowUp: -1, ArrowDown: 1, PageUp: -10, PageDown: 10, Home: -1e9, End: 1e9 }[event.key];
    const name = rows[focus.peek()];
    if (by !== undefined) {
      event.preventDefault();
      focus.value = Math.min(rows.length - 1, Math.max(0, focus.peek() + by));
    } else if (
      event.key === 'Enter' &&
      name !== undefined &&
      (event.target as Element).matches('[role=row]')
    ) {
      go(studyPath(name));
    } else if (event.key === ' ' && name !== undefined && (event.target as Element).matches('[role=row]')) {
      event.preventDefault();
      onMark(name);
    }
  };
  const sortBy = (key: Key) => {
    const next =
      sort !== key
        ? key === 'created' || key === 'accuracy'
          ? 'down'
          : 'up'
        : direction === 'up'
          ? 'down'
          : 'up';
    setQuery({ sort: `${key}.${next}` });
  };
  return (
    <div class="table" role="table" aria-label="Studies" aria-rowcount={rows.length + 1}>
      <div class="row head" role="row" tabIndex={-1}>
        {COLUMNS.map(([key, title, kind]) => (
          <div
            key={title}
            role="columnheader"
            class={kind}
            aria-sort={key === sort ? (direction === 'up' ? 'ascending' : 'descending') : undefined}
          >
            {key === undefined ? (
              <span class={title === 'Compare' ? 'hidden' : ''}>{title}</span>
            ) : (
              <button type="button" class="plain" onClick={() => sortBy(key)}>
                {title} <span aria-hidden="true">{key === sort ? (direction === 'up' ? '▴' : '▾') : ''}</span>
              </button>
            )}
          </div>
        ))}
      </div>
      <div ref={scroller} class="rows" role="rowgroup" onScroll={measure} onKeyDown={onKey}>
        <div role="presentation" style={{ height: `${rows.length * ROW}px`, position: 'relative' }}>
          {window.map((name, i) => (
            <Row
              key={name}
              index={from + i}
              name={name}
              now={now}
              isFocus={focus.value === from + i}
              isMarked={marked.has(name)}
              onMark={onMark}
              onFocus={() => {
                focus.value = from + i;
              }}
            />
          ))}
        </div>
      </div>
    </div>
  );
}

interface RowProps {
  readonly index: number;
  readonly name: string;
  readonly now: number;
  readonly isFocus: boolean;
  readonly isMarked: boolean;
  readonly onMark: (name: string) => void;
  readonly onFocus: () => void;
}

function Row({ index, name, now, isFocus, isMarked, onMark, onFocus }: RowProps) {
  const study = studies.value.get(name);
  const digest = digests.value.get(name);
  if (study === undefined) return null;
  const called = study.displayName || idOf(name);
  return (
    <div
      class="row"
      role="row"
      aria-rowindex={index + 2}
      data-index={index}
      tabIndex={isFocus ? 0 : -1}
      style={{ transform: `translateY(${index * ROW}px)` }}
      onFocus={onFocus}
    >
      <div role="cell" class="mark">
        <input
          type="checkbox"
          tabIndex={-1}
          checked={isMarked}
          aria-label={`Compare ${called}`}
          onChange={() => onMark(name)}
        />
      </div>
      <div role="cell" class="is" title={study.stateReason}>
        <State state={study.state} />
      </div>
      <div role="cell" class="name">
        <a href={studyPath(name)} tabIndex={-1}>
          {called}
        </a>
        <small>
          {study.estimator} · {study.problem}
          {Object.entries(study.labels).map(([key, value]) => (
            <span key={key} class="label">
              {value === '' ? key : `${key}=${value}`}
            </span>
          ))}
        </small>
      </div>
      <div role="cell" class="number">
        {loss(digest?.loss)}
      </div>
      <div role="cell" class="number wide">
        {percent(digest?.accuracy)}
      </div>
      <div role="cell" class="wide">
        {digest?.spark && <Sparkline values={digest.spark} label={sparkLabel(digest)} />}
      </div>
      <div role="cell" class="number wide">
        {cost(digest?.cost)}
      </div>
      <div role="cell" class="wide">
        {digest && study.state !== 'COMPLETED' && (
          <Progress
            share={digest.progress}
            label={`${percent(digest.progress)} of ${count(study.steps * digest.trials)} steps`}
          />
        )}
        {study.state === 'COMPLETED' && digest && (
          <span class="muted">{digest.trials === 1 ? '1 trial' : `${digest.trials} trials`}</span>
        )}
      </div>
      <div role="cell" class="made muted" title={momentExactly(study.createTime)}>
        {ago(study.createTime, now)}
      </div>
    </div>
  );
}

const sparkLabel = ({ spark = [] }: StudyDigest): string =>
  `validation loss from ${loss(spark[0])} to ${loss(spark.at(-1))}`;

/** Each word has to be somewhere in a study; `key=value` asks for a label. */
function matching(rows: readonly StudyRow[], text: string, state: string): StudyRow[] {
  const wanted = text
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  return rows.filter((row) => {
    if (state !== '' && row.state !== state) return false;
    if (wanted.length === 0) return true;
    const labels = Object.entries(row.labels).map(([key, value]) => `${key}=${value}`);
    const all = [row.name, row.displayName, row.estimator, row.problem, row.owner, row.state, ...labels]
      .join('\n')
      .toLowerCase();
    return wanted.every((word) => all.includes(word));
  });
}

function ordered(
  rows: readonly StudyRow[],
  sort: Key,
  direction: string,
  found: ReadonlyMap<string, StudyDigest>,
): string[] {
  const sign = direction === 'up' ? 1 : -1;
  const value = (row: StudyRow): number | string | null | undefined => {
    const digest = found.get(row.name);
    switch (sort) {
      case 'name':
        return (row.displayName || row.name).toLowerCase();
      case 'state':
        return STATES.indexOf(row.state);
      case 'best':
        return digest?.loss;
      case 'accuracy':
        return digest?.accuracy;
      case 'cost':
        return digest?.cost;
      case 'progress':
        return digest?.progress;
      default:
        return row.createTime;
    }
  };
  return rows
    .map((row) => [row, value(row)] as const)
    .sort(([a, x], [b, y]) => {
      // What is not known comes last, whatever the direction.
      if (x === null || x === undefined || y === null || y === undefined)
        return (
          (x === null || x === undefined ? 1 : 0) - (y === null || y === undefined ? 1 : 0) ||
          b.createTime - a.createTime
        );
      return (x < y ? -1 : x > y ? 1 : 0) * sign || b.createTime - a.createTime;
    })
    .map(([{ name }]) => name);
}
