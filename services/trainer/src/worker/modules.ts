/** The modules of `--problem-dir` as the catalogue has them. Each is described by a process of its own. */

import { stat } from 'node:fs/promises';
import type { Study } from '@glocal/proto/glocal/v1/study';
import type { ModuleInfo } from '@glocal/proto/glocal/v1/study_service';
import type { BackendName } from '../backend/select.ts';
import { layersOf } from '../inner/hyperparameter.ts';
import { weightCount } from '../model/model.ts';
import type { ModuleDescription } from '../problem/description.ts';
import { ProblemError } from '../problem/errors.ts';
import { findModule, listModules, type ModuleFile } from '../problem/folder.ts';
import { Places } from '../resource/places.ts';
import {
  type Catalogue,
  hyperparameterInfo,
  type ModuleEntry,
  type RefusedModule,
} from '../study/catalogue.ts';
import { describeInProcess, type ModuleRequest, RefusedError } from './describe.ts';

/** Answers that are remembered. */
const MAX_KNOWN = 200;
/** Requests that wait for an answer at a time. */
const MAX_WAITING = 16;
const RETRY_MS = 5_000;

export interface ModulesOptions {
  /** Undefined for no modules. */
  readonly folder: string | undefined;
  /** That trials train on. */
  readonly backend: BackendName | undefined;
}

export class Modules {
  readonly #options: ModulesOptions;
  /** By module, its file's state, and options. */
  readonly #known = new Map<string, ModuleDescription>();
  readonly #waiting = new Places({
    max: MAX_WAITING,
    what: 'studies wait for their modules to be loaded',
    reason: 'MODULES',
    retryAfterMs: RETRY_MS,
  });
  /** One process at a time. */
  #last: Promise<unknown> = Promise.resolve();

  #listed: Promise<readonly ModuleInfo[]> = Promise.resolve([]);

  private constructor(options: ModulesOptions) {
    this.#options = options;
  }

  /**
   * Begins to describe all modules: a server need not wait for that.
   * @param log takes a line for each that cannot be used.
   * @throws ProblemError when the folder cannot be read.
   */
  static async open(options: ModulesOptions, log: (line: string) => void): Promise<Modules> {
    const modules = new Modules(options);
    const files = options.folder === undefined ? [] : await listModules(options.folder);
    modules.#listed = modules.#describeAll(files, log);
    return modules;
  }

  /** All modules as they were at first, with what is wrong in those that cannot be used without options. */
  list(): Promise<readonly ModuleInfo[]> {
    return this.#listed;
  }

  /** The catalogue as a study sees it: with the module that it names, if any. */
  async withModule(
    catalogue: Catalogue,
    { problem }: Study,
    owner: string,
    signal: AbortSignal,
  ): Promise<Catalogue> {
    if (problem === undefined || problem.module === '') return catalogue;
    const { module, options = {} } = problem;
    const describe = (request: ModuleRequest) => this.#inTurn(request, owner, signal);
    return { ...catalogue, module: await this.#entry(module, options, describe) };
  }

  async #describeAll(files: readonly ModuleFile[], log: (line: string) => void): Promise<ModuleInfo[]> {
    const infos: ModuleInfo[] = [];
    const { signal } = new AbortController();
    for (const { id } of files) {
      const entry = await this.#entry(id, {}, (request) => describeInProcess(request, signal)).catch(
        (error: Error): RefusedModule => ({ refused: error.message, field: 'module' }),
      );
      infos.push('info' in entry ? entry.info : withoutOptions(id, entry.refused));
      if ('refused' in entry && entry.field === 'module')
        log(`module ${id} cannot be used: ${entry.refused}`);
    }
    return infos;
  }

  async #entry(id: string, options: unknown, describe: Describe): Promise<ModuleEntry | RefusedModule> {
    try {
      const { folder, backend } = this.#options;
      if (folder === undefined) {
        throw new ProblemError('this server has no modules: it was started without --problem-dir');
      }
      const { path } = await findModule(folder, id);
      const { mtimeMs } = await stat(path);
      const key = JSON.stringify([id, mtimeMs, options]);
      const known = this.#known.get(key);
      const description = known ?? (await describe({ what: 'module', folder, id, options, backend }));
      this.#remember(key, description);
      return entryOf(description);
    } catch (error) {
      if (error instanceof RefusedError) {
        return { refused: error.message, field: error.isOfOptions ? 'options' : 'module' };
      }
      if (error instanceof ProblemError) return { refused: error.message, field: 'module' };
      throw error;
    }
  }

  #remember(key: string, description: ModuleDescription): void {
    const [oldest] = this.#known.keys();
    if (this.#known.size >= MAX_KNOWN && oldest !== undefined) this.#known.delete(oldest);
    this.#known.set(key, description);
  }

  /** One process at a time for all who wait. @throws BusyError */
  async #inTurn(request: ModuleRequest, owner: string, signal: AbortSignal): Promise<ModuleDescription> {
    using _place = this.#waiting.take(owner);
    const answer = this.#last.then(() => {
      signal.throwIfAborted();
      return describeInProcess(request, signal);
    });
    this.#last = answer.catch(() => {});
    return await answer;
  }
}

type Describe = (request: ModuleRequest) => Promise<ModuleDescription>;

const entryOf = (module: ModuleDescription): ModuleEntry => ({
  info: {
    id: module.id,
    description: module.description,
    optionsSchema: module.optionsSchema,
    hyperparameters: module.hyperparameters.map(hyperparameterInfo),
    parameters: weightCount(module),
    trainExamples: module.trainExamples ?? 0,
    validationExamples: module.validationExamples,
  },
  layers: layersOf(module).length,
});

const withoutOptions = (id: string, refused: string): ModuleInfo => ({
  id,
  description: `Cannot be used without options: ${refused}`,
  optionsSchema: '',
  hyperparameters: [],
  parameters: 0,
  trainExamples: 0,
  validationExamples: 0,
});
