import { afterEach, describe, expect, it } from 'vitest';
import { ServerChild, ServerStartError } from './server-child.ts';

let child: ServerChild | undefined;
afterEach(() => child?.stop());

/** Starts a program in JavaScript as a server. */
async function start(
  program: string,
  env: NodeJS.ProcessEnv = {},
): Promise<{ child: ServerChild; log: string[] }> {
  const log: string[] = [];
  child = await ServerChild.start({
    command: process.execPath,
    args: ['--eval', program],
    env: { ...process.env, ...env },
    log: (line) => log.push(line),
  });
  return { child, log };
}

const ready = `console.log('a server listening on 127.0.0.1:4711');`;
const untilStdinCloses = `process.stdin.resume().on('end', () => process.exit(0));`;

describe('a server as a child process', () => {
  it('is ready when it says where it listens', async () => {
    const { child: server } = await start(`console.log('loading'); ${ready} ${untilStdinCloses}`);
    expect(server.address).toBe('127.0.0.1:4711');
    expect(() => process.kill(server.pid, 0)).not.toThrow();
  });

  it('gets the environment that it is given', async () => {
    const program = `console.error(process.env.MINE, process.env.PATH !== undefined); ${ready} ${untilStdinCloses}`;
    const { child: server, log } = await start(program, { MINE: 'yes' });
    await server.stop();
    expect(log).toEqual(['yes true']);
  });

  it('stops when it is told to', async () => {
    const program = `process.on('SIGTERM', () => process.exit(3)); setInterval(() => {}, 1e3); ${ready}`;
    const { child: server } = await start(program);
    await server.stop();
    expect((await server.ended).how).toBe('exit code 3');
    expect(() => process.kill(server.pid, 0)).toThrow();
  });

  it('tells how it ended by itself, with its last words', async () => {
    const { child: server } = await start(
      `${ready} console.error('no'); console.error('out of luck'); setTimeout(() => process.exit(7), 10);`,
    );
    expect(await server.ended).toEqual({ how: 'exit code 7', lastWords: 'out of luck' });
  });

  it('tells the signal that ended it', async () => {
    const { child: server } = await start(`${ready} setInterval(() => {}, 1e3);`);
    process.kill(server.pid, 'SIGKILL');
    expect((await server.ended).how).toBe('SIGKILL');
  });

  it('can be stopped after it has ended', async () => {
    const { child: server } = await start(`${ready} process.exit(0);`);
    await server.ended;
    await server.stop();
    await server.stop();
  });
});

describe('a server that does not come up', () => {
  it.each([
    ['ends', `console.error('no licence'); process.exit(2);`, 'it ended with exit code 2: no licence'],
    ['ends in silence', `process.exit(2);`, 'it ended with exit code 2'],
    ['says something else', `console.log('listening'); process.exit(0);`, 'it ended with exit code 0'],
  ])('is an error with its last words when it %s', async (_what, program, message) => {
    await expect(start(program)).rejects.toThrow(new ServerStartError(message));
  });

  it('is killed at once when nobody waits for it any more', async () => {
    const interruption = new AbortController();
    const starting = ServerChild.start({
      command: process.execPath,
      args: ['--eval', 'setInterval(() => {}, 1000);'],
      env: process.env,
      log: () => {},
      signal: interruption.signal,
    });
    interruption.abort();
    await expect(starting).rejects.toThrow(new ServerStartError('its start was interrupted'));
  });

  it('is an error when there is no such program', async () => {
    const starting = ServerChild.start({ command: '/nowhere/server', args: [], env: {}, log: () => {} });
    await expect(starting).rejects.toThrow(/ENOENT/);
  });
});
