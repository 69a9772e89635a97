/** Files that may be replaced while the server runs: certificates, keys, tokens. */

import { readFile } from 'node:fs/promises';
import type { Logger } from 'pino';
import { ConfigError } from '../config/errors.ts';
import { type SettingName, waysTo } from '../config/settings.ts';

/** They are small: reading them is cheaper than trusting that every file system tells of every way to replace one. */
const EVERY_MS = 2_000;

/** A file, and the setting that names it. */
export interface NamedFile {
  readonly setting: SettingName;
  readonly path: string;
}

/** What is made of the content of files, made anew when that has changed. */
export class WatchedFiles<T> implements Disposable {
  readonly #files: readonly NamedFile[];
  readonly #make: (contents: readonly Buffer[]) => T;
  readonly #log: Pick<Logger, 'info' | 'error'>;
  readonly #changed: ((value: T) => void)[] = [];
  #contents: readonly Buffer[];
  #current: T;
  #failure: string | undefined;
  #refreshing: Promise<void> | undefined;
  readonly #timer: NodeJS.Timeout;

  private constructor(
    files: readonly NamedFile[],
    make: (contents: readonly Buffer[]) => T,
    log: Pick<Logger, 'info' | 'error'>,
    contents: readonly Buffer[],
  ) {
    this.#files = files;
    this.#make = make;
    this.#log = log;
    this.#contents = contents;
    this.#current = make(contents);
    this.#timer = setInterval(() => void this.refresh(), EVERY_MS).unref();
  }

  /**
   * @param make of the contents, in the order of the files; throws a ConfigError for what it cannot use.
   * @throws ConfigError naming the setting whose file cannot be read or used.
   */
  static async open<T>(
    files: readonly NamedFile[],
    make: (contents: readonly Buffer[]) => T,
    log: Pick<Logger, 'info' | 'error'>,
  ): Promise<WatchedFiles<T>> {
    return new WatchedFiles(files, make, log, await Promise.all(files.map(readNamed)));
  }

  /** Of the latest content that could be used. */
  get current(): T {
    return this.#current;
  }

  /** Tells of what was made anew. */
  onChange(changed: (value: T) => void): void {
    this.#changed.push(changed);
  }

  /** Reads the files again now. What cannot be used is logged once, and what was there before holds. */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  async #refresh(): Promise<void> {
    const files = this.#files.map(({ path }) => path);
    try {
      const contents = await Promise.all(this.#files.map(readNamed));
      if (contents.every((content, i) => content.equals(this.#contents[i] as Buffer))) return;
      this.#current = this.#make(contents);
      this.#contents = contents;
      this.#failure = undefined;
      this.#log.info({ files }, 'files were replaced: new connections and calls use them');
      for (const changed of this.#changed) changed(this.#current);
    } catch (error) {
      const failure = error instanceof Error ? error.message : String(error);
      if (failure !== this.#failure) {
        this.#log.error({ files, reason: failure }, 'files cannot be used: what they had before holds');
      }
      this.#failure = failure;
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

/** @throws ConfigError naming the setting */
export async function readNamed({ setting, path }: NamedFile): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new ConfigError(`${waysTo(setting)}: cannot read the file: ${(error as Error).message}`);
  }
}
