import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { download } from './download.ts';

const MEGABYTES_3 = Buffer.alloc(3e6, 'x');
let server: Server;

async function serve(listener: RequestListener): Promise<string> {
  server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/file`;
}

afterEach(async () => {
  vi.restoreAllMocks();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const options = { name: 'file', maxBytes: 10e6 };

/** What a download writes to standard error. */
async function written(isTerminal: boolean): Promise<string> {
  const url = await serve((_, response) => response.setHeader('content-length', 3e6).end(MEGABYTES_3));
  const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const { isTTY } = process.stderr;
  process.stderr.isTTY = isTerminal;
  try {
    await download(url, options);
  } finally {
    process.stderr.isTTY = isTTY;
  }
  return write.mock.calls.map(([text]) => String(text)).join('');
}

describe('download', () => {
  it('gives the bytes', async () => {
    const url = await serve((_, response) => response.end(MEGABYTES_3));
    expect(MEGABYTES_3.equals(await download(url, options))).toBe(true);
  });

  it('shows a bar on a terminal', async () => {
    expect(await written(true)).toMatch(/file \|.*\| 3 of 3 MB/);
  });

  it('shows nothing elsewhere', async () => {
    expect(await written(false)).toBe('');
  });

  it('stops when more comes than may', async () => {
    let sent = 0;
    const url = await serve((_, response) => {
      const more = () => {
        while (response.write(MEGABYTES_3)) sent += 3e6;
        response.once('drain', more);
      };
      more();
    });
    await expect(download(url, options)).rejects.toThrow('more than 10000000 bytes');
    expect(sent).toBeLessThan(100e6);
  });

  it('says with which status it was refused', async () => {
    const url = await serve((_, response) => response.writeHead(403).end('no'));
    await expect(download(url, options)).rejects.toThrow('HTTP status 403');
  });
});
