/**
 * Objects in a part of a bucket of an S3-compatible store. The AWS SDK is loaded with this file, and only where it is used.
 *
 * Each upload has its SHA-256 for the store to compare; whoever reads compares by a sum that it knows from elsewhere. A store
 * that does not answer is left alone for a while, which grows: a trial is not held up at each boundary.
 */

import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  type GetObjectCommandOutput,
  ListMultipartUploadsCommand,
  type ListMultipartUploadsCommandOutput,
  type ListMultipartUploadsRequest,
  ListObjectsV2Command,
  type MultipartUpload,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { CircuitBreaker } from '../resource/circuit-breaker.ts';
import { ObjectStoreError } from './errors.ts';
import { describeLocation, type S3Location } from './location.ts';
import { asObjectStoreError } from './s3-errors.ts';
import type { ObjectStore, StoredObject } from './store.ts';

/** What is larger goes in parts of this size, two at a time. */
const PART_BYTES = 16 * 1024 * 1024;
const PARTS_AT_A_TIME = 2;
/** Requests that remove something at a time. Each removes one object: not every store knows the request for many. */
const REMOVALS_AT_A_TIME = 8;
/** Requests for the same. */
const MAX_ATTEMPTS = 3;
const CONNECT_WITHIN_MS = 3_000;
/** That a connection may be silent. */
const SILENT_MS = 15_000;
/** Stores elsewhere have no regions, and signatures must have one. */
const ANY_REGION = 'us-east-1';

export class S3Objects implements ObjectStore {
  readonly location: S3Location;
  readonly #client: S3Client;
  readonly #breaker = new CircuitBreaker();
  #lastFailure: ObjectStoreError | undefined;

  constructor(location: S3Location) {
    this.location = location;
    const { endpoint } = location;
    const { AWS_REGION, AWS_DEFAULT_REGION } = process.env;
    const elsewhere = endpoint === undefined ? undefined : (AWS_REGION ?? AWS_DEFAULT_REGION ?? ANY_REGION);
    const region = location.region ?? elsewhere;
    this.#client = new S3Client({
      ...(region !== undefined && { region }),
      ...(endpoint !== undefined && { endpoint, forcePathStyle: true }),
      maxAttempts: MAX_ATTEMPTS,
      requestHandler: { connectionTimeout: CONNECT_WITHIN_MS, socketTimeout: SILENT_MS },
      // Ours are SHA-256, and those that the client adds by itself are not known to every store.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    });
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    if (bytes.length > PART_BYTES) return this.#putInParts(key, Buffer.from(bytes));
    await this.#ask(() =>
      this.#client.send(
        new PutObjectCommand({
          ...this.#at(key),
          Body: bytes,
          ContentLength: bytes.length,
          ChecksumSHA256: createHash('sha256').update(bytes).digest('base64'),
        }),
      ),
    );
  }

  async putFile(key: string, path: string): Promise<void> {
    const { size } = await stat(path);
    if (size > PART_BYTES) return this.#putInParts(key, createReadStream(path));
    const chunks: Buffer[] = await Array.fromAsync(createReadStream(path));
    await this.put(key, Buffer.concat(chunks));
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    return this.#read(key, async ({ Body, ContentLength }) => {
      const bytes = (await Body?.transformToByteArray()) ?? new Uint8Array();
      if (ContentLength !== undefined && bytes.length !== ContentLength) {
        throw new Error(`${bytes.length} of ${ContentLength} bytes came`);
      }
      return bytes;
    });
  }

  async getFile(key: string, path: string): Promise<boolean> {
    const found = await this.#read(key, async ({ Body }) => {
      await pipeline(Body as Readable, createWriteStream(path, { flags: 'wx' }));
      return true;
    });
    return found ?? false;
  }

  async *list(prefix: string): AsyncGenerator<StoredObject> {
    const { bucket: Bucket, prefix: all } = this.location;
    let next: string | undefined;
    do {
      const page = await this.#ask(() =>
        this.#client.send(
          new ListObjectsV2Command({ Bucket, Prefix: `${all}${prefix}`, ContinuationToken: next }),
        ),
      );
      for (const { Key = '', Size = 0, LastModified = new Date() } of page.Contents ?? []) {
        // Some tools make an object that stands for a folder.
        if (Key.endsWith('/')) continue;
        yield { key: Key.slice(all.length), bytes: Size, modified: LastModified };
      }
      next = page.IsTruncated ? page.NextContinuationToken : undefined;
    } while (next !== undefined);
  }

  async remove(key: string): Promise<void> {
    await this.#ask(() => this.#client.send(new DeleteObjectCommand(this.#at(key))));
  }

  async removeAll(prefix: string): Promise<void> {
    const keys = (await Array.fromAsync(this.list(prefix))).map(({ key }) => key);
    while (keys.length > 0) {
      await Promise.all(keys.splice(0, REMOVALS_AT_A_TIME).map((key) => this.remove(key)));
    }
  }

  /** All uploads of the bucket are looked through: not every store lists them by the beginning of a key. */
  async discardIncomplete(prefix: string, before?: Date): Promise<void> {
    const { bucket: Bucket, prefix: all } = this.location;
    for (const { Key = '', UploadId, Initiated } of await this.#uploads().catch(unlessRefused)) {
      const isOld = before === undefined || (Initiated !== undefined && Initiated < before);
      if (!Key.startsWith(`${all}${prefix}`) || !isOld) continue;
      const abort = new AbortMultipartUploadCommand({ Bucket, Key, UploadId });
      // It may have come to its end meanwhile.
      await this.#ask(() => this.#client.send(abort)).catch(unlessRefused);
    }
  }

  /** In parts, of the whole bucket, that go on or were left. */
  async #uploads(): Promise<MultipartUpload[]> {
    const found: MultipartUpload[] = [];
    let markers: Pick<ListMultipartUploadsRequest, 'KeyMarker' | 'UploadIdMarker'> | undefined = {};
    while (markers !== undefined) {
      const list = new ListMultipartUploadsCommand({ Bucket: this.location.bucket, ...markers });
      const page: ListMultipartUploadsCommandOutput = await this.#ask(() => this.#client.send(list));
      found.push(...(page.Uploads ?? []));
      const { IsTruncated, NextKeyMarker: KeyMarker, NextUploadIdMarker: UploadIdMarker } = page;
      markers = IsTruncated ? { KeyMarker, UploadIdMarker } : undefined;
    }
    return found;
  }

  async check(): Promise<void> {
    const { bucket: Bucket, prefix: Prefix } = this.location;
    // An answer without any of them: what the request for its head is refused with has no words.
    await this.#ask(() => this.#client.send(new ListObjectsV2Command({ Bucket, Prefix, MaxKeys: 0 })));
  }

  close(): void {
    this.#client.destroy();
  }

  async #putInParts(key: string, Body: Buffer | Readable): Promise<void> {
    await this.#ask(() =>
      new Upload({
        client: this.#client,
        params: { ...this.#at(key), Body, ChecksumAlgorithm: 'SHA256' },
        partSize: PART_BYTES,
        queueSize: PARTS_AT_A_TIME,
      }).done(),
    );
  }

  /** Undefined when there is no such object. */
  async #read<T>(key: string, take: (found: GetObjectCommandOutput) => Promise<T>): Promise<T | undefined> {
    return this.#ask(async () => {
      try {
        return await take(await this.#client.send(new GetObjectCommand(this.#at(key))));
      } catch (error) {
        if ((error as Error).name === 'NoSuchKey') return undefined;
        throw error;
      }
    });
  }

  async #ask<T>(question: () => Promise<T>): Promise<T> {
    if (this.#lastFailure !== undefined && this.#breaker.state === 'open') throw this.#lastFailure;
    try {
      const answer = await question();
      this.#breaker.succeeded();
      return answer;
    } catch (error) {
      const failure = asObjectStoreError(describeLocation(this.location), error);
      if (failure instanceof ObjectStoreError && failure.failure === 'away') {
        this.#breaker.failed();
        this.#lastFailure = failure;
      }
      throw failure;
    }
  }

  #at(key: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.location.bucket, Key: `${this.location.prefix}${key}` };
  }
}

/** What may not be looked for, or is not known to a store, is nothing. */
function unlessRefused(error: unknown): [] {
  if (error instanceof ObjectStoreError && error.failure === 'refused') return [];
  throw error;
}
