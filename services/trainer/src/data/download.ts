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
  { name, maxBytes, signal = new AbortController().signal }: DownloadOptions,
): Promise<Uint8Array> {
  const { body, headers, ok, status } = await fetch(url, { signal });
  if (!ok || body === null) {
    await body?.cancel();
    throw new Error(`HTTP status ${status}`);
  }
  const bar = new SingleBar({ format: BAR, hideCursor: true, clearOnComplete: true });
  bar.start(megabytes(Number(headers.get('content-length'))), 0, { name });
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

const megabytes = (bytes: number): number => Math.round(bytes / 1e5) / 10;
