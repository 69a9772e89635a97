/** How many bytes of artifacts there may be: each, and those of an owner together, with what is arriving now. */

import { BusyError } from '../resource/errors.ts';
import { Places } from '../resource/places.ts';

/** Uploads at a time, of all callers. */
const MAX_UPLOADS = 8;
const RETRY_MS = 5_000;

export interface RoomLimits {
  /** Bytes of one artifact. */
  readonly maxArtifactBytes: bigint;
  /** Bytes of all artifacts of one owner. */
  readonly maxOwnerArtifactBytes: bigint;
  /** Bytes of one file, where those who keep it take no larger ones. */
  readonly maxFileBytes?: number | undefined;
}

/** The place of one upload, until it is disposed. */
export interface UploadRoom extends Disposable {
  /**
   * Sets the bytes of a file aside.
   * @throws BusyError when a limit would be passed.
   */
  take(bytes: bigint): Promise<void>;
}

export class ArtifactRoom {
  readonly #limits: RoomLimits;
  readonly #stored: (owner: string) => Promise<bigint>;
  /** Bytes that are arriving, by owner. */
  readonly #arriving = new Map<string, bigint>();
  readonly #uploads = new Places({
    max: MAX_UPLOADS,
    what: 'uploads are going on',
    reason: 'UPLOADS',
    retryAfterMs: RETRY_MS,
  });

  /** @param stored bytes of all artifacts of an owner. */
  constructor(limits: RoomLimits, stored: (owner: string) => Promise<bigint>) {
    this.#limits = limits;
    this.#stored = stored;
  }

  /** @throws BusyError when there are as many uploads as may be, of all or of this owner. */
  enter(owner: string): UploadRoom {
    const place = this.#uploads.take(owner);
    let own = 0n;
    return {
      take: async (bytes) => {
        own += bytes;
        this.#add(owner, bytes);
        const { maxArtifactBytes, maxOwnerArtifactBytes, maxFileBytes } = this.#limits;
        if (maxFileBytes !== undefined && bytes > maxFileBytes) {
          throw new BusyError(
            'FILE_BYTES',
            `this server keeps files of at most ${maxFileBytes} bytes, and one has ${bytes}; in a store of objects (--objects s3://BUCKET) it would take larger ones`,
          );
        }
        if (own > maxArtifactBytes) {
          throw new BusyError(
            'ARTIFACT_BYTES',
            `an artifact has at most ${maxArtifactBytes} bytes; the files so far have ${own}`,
          );
        }
        const all = (await this.#stored(owner)) + (this.#arriving.get(owner) ?? 0n);
        if (all > maxOwnerArtifactBytes) {
          throw new BusyError(
            'OWNER_ARTIFACT_BYTES',
            `the artifacts of one owner have at most ${maxOwnerArtifactBytes} bytes together, and with this one yours would have ${all}; delete some`,
          );
        }
      },
      [Symbol.dispose]: () => {
        place[Symbol.dispose]();
        this.#add(owner, -own);
      },
    };
  }

  #add(owner: string, bytes: bigint): void {
    const sum = (this.#arriving.get(owner) ?? 0n) + bytes;
    if (sum === 0n) this.#arriving.delete(owner);
    else this.#arriving.set(owner, sum);
  }
}
