/** A caller who makes and deletes studies and artifacts while faults are made, and knows what was acknowledged. */

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { StudyServiceService as Api, ArtifactKind } from '@glocal/proto/glocal/v1/study_service';
import { type ServiceError, status } from '@grpc/grpc-js';
import { Channel } from '../support/grpc.ts';
import { externalStudy } from '../support/reporter.ts';
import { catFiles, uploadRequests } from '../support/upload.ts';
import { doubled, type Finding, lost } from './finding.ts';
import { patiently } from './patience.ts';

const PAUSE_MS = 150;
/** Of so many things one is kept. */
const KEEPS = 4;

export class Clerk implements Disposable {
  readonly #channel: Channel;
  readonly #signal: AbortSignal;
  readonly #findings: Finding[] = [];
  /** Names of what was made and must be there in the end. */
  readonly #studies: string[] = [];
  readonly #artifacts: string[] = [];
  #rounds = 0;

  constructor(address: string, signal: AbortSignal) {
    this.#channel = new Channel(address, undefined, undefined, { 'grpc.max_reconnect_backoff_ms': 1_000 });
    this.#signal = signal;
  }

  /** Studies and artifacts that it made. */
  get made(): number {
    return 2 * this.#rounds;
  }

  /** Makes a study and an artifact; most of them it deletes again. */
  async work(): Promise<void> {
    this.#rounds += 1;
    const keeps = this.#rounds % KEEPS === 0;
    const request = { study: externalStudy(), requestId: randomUUID() };
    const { name } = await this.#call(() => this.#channel.unary(Api.createStudy, request));
    const upload = uploadRequests(ArtifactKind.DATASET, catFiles(randomUUID()));
    const artifact = await this.#call(() => this.#channel.clientStream(Api.uploadArtifact, upload));
    if (keeps) {
      await this.#call(() => this.#channel.unary(Api.cancelStudy, { name }));
      this.#studies.push(name);
      this.#artifacts.push(artifact.name);
    } else {
      await this.#call(() => this.#channel.unary(Api.deleteStudy, { name, force: true }));
      await this.#expectGone(name, () => this.#channel.unary(Api.getStudy, { name }));
      const { name: file } = artifact;
      await this.#call(() => this.#channel.unary(Api.deleteArtifact, { name: file }));
      await this.#expectGone(file, () => this.#channel.unary(Api.getArtifact, { name: file }));
    }
    await sleep(PAUSE_MS, undefined, { signal: this.#signal });
  }

  /**
   * What does not hold in the end, when nothing else is made.
   * @param others studies that others made.
   */
  async account(others: readonly string[]): Promise<Finding[]> {
    const studies = await this.#all(async (pageToken) => {
      const page = { pageSize: 100, pageToken, states: [], labels: {} };
      const { studies: found, nextPageToken } = await this.#channel.unary(Api.listStudies, page);
      return { names: found.map(({ name }) => name), nextPageToken };
    });
    const artifacts = await this.#all(async (pageToken) => {
      const { artifacts: found, nextPageToken } = await this.#channel.unary(Api.listArtifacts, {
        pageSize: 100,
        pageToken,
      });
      return { names: found.map(({ name }) => name), nextPageToken };
    });
    return [
      ...this.#findings,
      ...compareNames([...others, ...this.#studies], studies),
      ...compareNames(this.#artifacts, artifacts),
    ];
  }

  /** Names of the artifacts that there must be. */
  get artifacts(): readonly string[] {
    return this.#artifacts;
  }

  async #all(
    list: (pageToken: string) => Promise<{ names: string[]; nextPageToken: string }>,
  ): Promise<string[]> {
    const all: string[] = [];
    let token = '';
    do {
      const { names, nextPageToken } = await this.#call(() => list(token));
      all.push(...names);
      token = nextPageToken;
    } while (token !== '');
    return all;
  }

  async #expectGone(name: string, get: () => Promise<unknown>): Promise<void> {
    try {
      await this.#call(get);
      this.#findings.push(lost(`the deletion of ${name}`));
    } catch (error) {
      if ((error as ServiceError).code !== status.NOT_FOUND) throw error;
    }
  }

  #call<T>(call: () => Promise<T>): Promise<T> {
    return patiently(this.#signal, call);
  }

  [Symbol.dispose](): void {
    this.#channel[Symbol.dispose]();
  }
}

/** What was acknowledged, and what is there. */
function compareNames(acknowledged: readonly string[], there: readonly string[]): Finding[] {
  return [
    ...acknowledged.filter((name) => !there.includes(name)).map((name) => lost(name)),
    ...there
      .filter((name, i) => !acknowledged.includes(name) || there.indexOf(name) < i)
      .map((name) => doubled(`${name}, which nobody was told of, or which is there twice`)),
  ];
}
