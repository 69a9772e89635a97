/**
 * The studies of a caller as a list that stays up to date while somebody looks: those that may change are asked for again and again,
 * the others once. No call of the contract tells of studies that are new.
 */

import type { GlocalClient, Study, Trial } from '@glocal/sdk';
import type { StudyDigest, StudyList, StudyRow } from '../api.ts';
import { faultOf } from './fault.ts';
import { studyRow } from './rows.ts';
import { courseOf, digestOf } from './study-digest.ts';

/** Milliseconds between two looks. */
const PAUSE = 1_000;
/** After so many milliseconds all are read again: one that had ended may have been deleted by somebody else. */
const ANEW = 300_000;
/** Studies of a page. The newest are read with the first look, and shown until the rest is there. */
const FIRST_PAGE = 200;
const PAGE = 1_000;
/** Of so many studies that train at a time their progress is told. */
const MOST_LIVE = 24;
/** So many studies are read at a time: one after the other waits for each answer. */
const AT_A_TIME = 8;

/** Told of what has changed since the last look. */
export type IndexListener = (
  change:
    | {
        readonly changed: readonly StudyRow[];
        readonly gone: readonly string[];
        readonly digests: readonly StudyDigest[];
      }
    | { readonly connected: boolean; readonly message?: string },
) => void;

/** The list of studies. */
export class StudyIndex {
  readonly #client: GlocalClient;
  readonly #onChange: (study: string) => void;
  /** By name. */
  readonly #studies = new Map<string, Study>();
  readonly #digests = new Map<string, { readonly digest: StudyDigest; readonly of: number }>();
  readonly #listeners = new Set<IndexListener>();
  #first: Promise<void> | undefined;
  #all: Promise<void> | undefined;
  #sweep: Promise<void> | undefined;
  #complete = false;
  #readAt = 0;
  #connected: boolean | undefined;
  #message = '';
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(client: GlocalClient, onChange: (study: string) => void) {
    this.#client = client;
    this.#onChange = onChange;
  }

  /**
   * All studies, or the newest: as many as are soon sent and drawn, as they are known. What has changed since is told by the stream, and
   * is part of the whole list.
   */
  async list(all: boolean): Promise<StudyList> {
    if (!all && !this.#complete) await this.#readFirst();
    if (all) {
      await this.#readAll();
      if (this.#listeners.size === 0) await this.#look();
    }
    const newest = [...this.#studies.values()].sort(
      (a, b) => b.createTime.getTime() - a.createTime.getTime(),
    );
    const listed = all ? newest : newest.slice(0, FIRST_PAGE);
    return { rows: listed.map(studyRow), complete: this.#complete && listed.length === newest.length };
  }

  /** What these studies have found, with its course. Of those that have ended it is read once. */
  async digests(names: readonly string[]): Promise<StudyDigest[]> {
    const studies = names.flatMap((name) => this.#studies.get(name) ?? []);
    const found: StudyDigest[] = [];
    for (let i = 0; i < studies.length; i += AT_A_TIME) {
      const some = studies.slice(i, i + AT_A_TIME);
      found.push(...(await Promise.all(some.map((study) => this.#digest(study)))));
    }
    return found;
  }

  /** What every study has found, without courses unless they are known. */
  async allDigests(): Promise<StudyDigest[]> {
    await this.#readAll();
    this.#sweep ??= this.#readTrials().finally(() => {
      this.#sweep = undefined;
    });
    await this.#sweep;
    return [...this.#studies.keys()].flatMap((name) => this.#digests.get(name)?.digest ?? []);
  }

  /** Looks from now on, until what it returns is called. */
  subscribe(listener: IndexListener): () => void {
    this.#listeners.add(listener);
    if (this.#connected !== undefined) listener({ connected: this.#connected, message: this.#message });
    if (this.#timer === undefined) this.#tick(0);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      clearTimeout(this.#timer);
      this.#timer = undefined;
    };
  }

  /** Somebody has just changed something here. */
  changed(study: Study): void {
    this.#studies.set(study.name, study);
    this.#tell({ changed: [studyRow(study)], gone: [], digests: [] });
    this.#onChange(study.name);
  }

  /** It is deleted. */
  removed(name: string): void {
    if (this.#studies.delete(name)) this.#tell({ changed: [], gone: [name], digests: [] });
    this.#digests.delete(name);
    this.#onChange(name);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#listeners.clear();
  }

  #readFirst(): Promise<void> {
    this.#first ??= this.#read(FIRST_PAGE, FIRST_PAGE).catch((error: unknown) => {
      this.#first = undefined;
      throw error;
    });
    return this.#first;
  }

  #readAll(): Promise<void> {
    if (this.#complete && Date.now() - this.#readAt < ANEW) return Promise.resolve();
    this.#all ??= this.#read(PAGE, Number.POSITIVE_INFINITY)
      .then(() => {
        this.#complete = true;
        this.#readAt = Date.now();
      })
      .finally(() => {
        this.#all = undefined;
      });
    return this.#all;
  }

  async #read(pageSize: number, most: number): Promise<void> {
    const found = new Set<string>();
    for await (const study of this.#client.studies.list({ pageSize })) {
      found.add(study.name);
      this.#studies.set(study.name, study);
      if (found.size >= most) return;
    }
    for (const name of this.#studies.keys()) if (!found.has(name)) this.removed(name);
  }

  #tick(pause: number): void {
    this.#timer = setTimeout(async () => {
      try {
        await this.#look();
        this.#tellConnected(true, '');
      } catch (error) {
        this.#tellConnected(false, faultOf(error).message);
      }
      if (this.#listeners.size > 0 && !this.#closed) this.#tick(PAUSE);
    }, pause);
  }

  /** What has changed: the newest studies, those that have not ended, and those that had not at the last look. */
  async #look(): Promise<void> {
    const { studies } = this.#client;
    const seen = new Map<string, Study>();
    for await (const study of studies.list({ pageSize: 20 })) {
      if (this.#studies.has(study.name)) break;
      seen.set(study.name, study);
      if (!this.#complete && seen.size >= FIRST_PAGE) break;
    }
    const live: Study[] = [];
    for await (const study of studies.list({ states: ['ACTIVE', 'PAUSED'], pageSize: PAGE })) {
      seen.set(study.name, study);
      if (study.state === 'ACTIVE') live.push(study);
    }
    const gone: string[] = [];
    const left = [...this.#studies.values()].filter((study) => !study.ended && !seen.has(study.name));
    for (const study of left) {
      const found = await studies.get(study.name).catch((error: unknown) => {
        if (faultOf(error).code === 'NOT_FOUND') return undefined;
        throw error;
      });
      if (found === undefined) gone.push(study.name);
      else seen.set(found.name, found);
    }
    const changed: StudyRow[] = [];
    for (const study of seen.values()) {
      const before = this.#studies.get(study.name);
      this.#studies.set(study.name, study);
      if (before?.updateTime.getTime() === study.updateTime.getTime() && before.state === study.state)
        continue;
      changed.push(studyRow(study));
      this.#onChange(study.name);
    }
    for (const name of gone) this.removed(name);
    const digests: StudyDigest[] = [];
    for (const study of live.slice(0, MOST_LIVE)) {
      const before = this.#digests.get(study.name)?.digest;
      const digest = await this.#digest(study);
      if (JSON.stringify(before) !== JSON.stringify(digest)) digests.push(digest);
    }
    for (const { name } of changed) {
      const study = this.#studies.get(name);
      if (study?.ended) digests.push(await this.#digest(study));
    }
    if (changed.length > 0 || digests.length > 0) this.#tell({ changed, gone: [], digests });
  }

  async #digest(study: Study): Promise<StudyDigest> {
    const known = this.#known(study);
    if (known?.spark !== undefined) return known;
    const trials: Trial[] = [];
    for await (const trial of study.trials()) trials.push(trial);
    const { digest, best } = digestOf(study, trials);
    return this.#keep(study, best === undefined ? digest : { ...digest, spark: await courseOf(study, best) });
  }

  /** The trials of all studies in a few calls: one for each study would take a minute for ten thousand. */
  async #readTrials(): Promise<void> {
    if ([...this.#studies.values()].every((study) => this.#known(study) !== undefined)) return;
    const trials = Map.groupBy(
      await Array.fromAsync(this.#client.studies.trials({ pageSize: PAGE })),
      ({ name }) => name.slice(0, name.indexOf('/trials/')),
    );
    for (const study of this.#studies.values()) {
      const found = trials.get(study.name);
      // One with a course stays; one that is newer than the trials comes next time.
      if (found === undefined || this.#known(study) !== undefined) continue;
      const spark = this.#digests.get(study.name)?.digest.spark;
      const { digest } = digestOf(study, found);
      this.#keep(study, spark === undefined ? digest : { ...digest, spark });
    }
  }

  /** What is known of a study that has ended, and has not changed since. */
  #known(study: Study): StudyDigest | undefined {
    const known = this.#digests.get(study.name);
    return study.ended && known?.of === study.updateTime.getTime() ? known.digest : undefined;
  }

  #keep(study: Study, digest: StudyDigest): StudyDigest {
    this.#digests.set(study.name, { digest, of: study.updateTime.getTime() });
    return digest;
  }

  #tell(change: Parameters<IndexListener>[0]): void {
    for (const listener of this.#listeners) listener(change);
  }

  #tellConnected(connected: boolean, message: string): void {
    if (this.#connected === connected && this.#message === message) return;
    this.#connected = connected;
    this.#message = message;
    this.#tell(message === '' ? { connected } : { connected, message });
  }
}
