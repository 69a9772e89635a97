/** The list of studies, live. */

import { signal } from '@preact/signals';
import type { Fault, StudyDigest, StudyList, StudyRow, TabMessage } from '../../api.ts';
import { ask, faultOf, post } from './http.ts';
import { ALL_STUDIES, look } from './stream.ts';

/** By name. */
export const studies = signal<ReadonlyMap<string, StudyRow>>(new Map());
export const digests = signal<ReadonlyMap<string, StudyDigest>>(new Map());
/** Whether all are there; before, the newest are. */
export const complete = signal(false);
export const loaded = signal(false);
export const loadFault = signal<Fault | undefined>(undefined);

let loading: Promise<void> | undefined;

/** Reads the list: the newest first, so that there is something to see, then the rest. */
export function loadStudies(): Promise<void> {
  loading ??= readStudies().finally(() => {
    loading = undefined;
  });
  return loading;
}

async function readStudies(): Promise<void> {
  try {
    if (!complete.peek()) {
      take(await ask<StudyList>('/api/studies'));
      loaded.value = true;
      loadFault.value = undefined;
      if (complete.peek()) return;
      // The first rows are drawn before the many others are read.
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    take(await ask<StudyList>('/api/studies?all=1'));
    loadFault.value = undefined;
  } catch (error) {
    loadFault.value = faultOf(error);
  }
}

function take({ rows, complete: isAll }: StudyList): void {
  const before = studies.peek();
  const newest = rows[0]?.createTime ?? 0;
  // What the stream has told since the list was made counts more.
  const kept = [...before].filter(([, row]) => !isAll || row.createTime > newest);
  const next = new Map(kept);
  for (const row of rows) {
    const known = before.get(row.name);
    next.set(row.name, known !== undefined && known.updateTime > row.updateTime ? known : row);
  }
  studies.value = next;
  complete.value = isAll;
}

/** Looks at the list until what it returns is called. */
export function followStudies(): () => void {
  void loadStudies();
  return look([ALL_STUDIES], hear, () => void loadStudies());
}

function hear(message: TabMessage): void {
  if (message.type !== 'studies') return;
  const { changed, gone } = message;
  if (changed.length > 0 || gone.length > 0) {
    const next = new Map(studies.peek());
    for (const row of changed) next.set(row.name, row);
    for (const name of gone) next.delete(name);
    studies.value = next;
  }
  takeDigests(message.digests);
}

function takeDigests(found: readonly StudyDigest[]): void {
  if (found.length === 0) return;
  const next = new Map(digests.peek());
  for (const digest of found) next.set(digest.name, { ...next.get(digest.name), ...digest });
  digests.value = next;
}

const asked = new Set<string>();

/** Asks what studies have found, with its course, of those that were not asked for yet. */
export async function wantDigests(names: readonly string[]): Promise<void> {
  const missing = names.filter((name) => !asked.has(name));
  if (missing.length === 0) return;
  for (const name of missing) asked.add(name);
  try {
    takeDigests(await post('/api/studies/digests', { names: missing }));
  } catch {
    for (const name of missing) asked.delete(name);
  }
}

/** Asks what all studies have found, to order them by it. */
export async function wantAllDigests(): Promise<void> {
  try {
    takeDigests(await ask<StudyDigest[]>('/api/studies/digests'));
    loadFault.value = undefined;
  } catch (error) {
    loadFault.value = faultOf(error);
  }
}
