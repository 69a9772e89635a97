/** Downloads one file into memory, with a progress bar where someone watches. */

import { SingleBar } from 'cli-progress';

const BAR = '{name} |{bar}| {value} of {total} MB, {eta_formatted} left';

export interface DownloadOptions {
  /** What the progress bar calls the file. */
  readonly name: string;
  /** Most bytes to accept. */
  readonly maxBytes: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The bar is on standard error, and only if that is a terminal.
 * @throws Error saying why not, or the signal's reason.
 */
export async function download(
  url: string,
  { name, maxBytes, signal }: DownloadOptions,
): Promise<Uint8Array> {
  const { body, headers, ok, status } = await fetch(url, { signal: signal ?? null });
  if (!ok || body === null) {
    await body?.cancel();
    throw new Error(`HTTP status ${status}`);
  }
  const bar = new SingleBar({ format: BAR, clearOnComplete: true });
  const total = megabytes(contentLength(headers));
  if (total > 0) bar.start(total, 0, { name });
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of body) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > maxBytes) throw new Error(`more than ${maxBytes} bytes`);
      bar.update(megabytes(size));
    }
  } finally {
    bar.stop();
  }
  return Buffer.concat(chunks, size);
}

/** 0 when it is not known: with an encoding, it counts other bytes than those that arrive. */
const contentLength = (headers: Headers): number =>
  headers.has('content-encoding') ? 0 : Number(headers.get('content-length'));

const megabytes = (bytes: number): number => Math.round(bytes / 1e5) / 10;
