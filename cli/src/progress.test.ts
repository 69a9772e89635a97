import { Writable } from 'node:stream';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { progressBoard } from './progress.ts';

beforeEach(() => {
  for (const name of ['FORCE_COLOR', 'NO_COLOR', 'CI', 'TERM']) vi.stubEnv(name, undefined);
});
afterEach(() => vi.unstubAllEnvs());

/** What a stream was sent. @param colourDepth in bits; 1 is none. */
function stream(isTTY: boolean, colourDepth = 1) {
  const chunks: string[] = [];
  const writable = new Writable({
    write(chunk, _, done) {
      chunks.push(String(chunk));
      done();
    },
  });
  // A terminal as far as lines of progress need one.
  const terminal = Object.assign(writable, {
    isTTY,
    columns: 200,
    rows: 50,
    getColorDepth: () => colourDepth,
  }) as unknown as NodeJS.WriteStream;
  return { terminal, sent: () => chunks.join('') };
}

it('is a plain line for each status where there is no terminal', () => {
  const { terminal, sent } = stream(false);
  const board = progressBoard(terminal);
  const line = board.line('trial 0', 60);
  line.progress(10);
  line.status(20, 'lr 0.02');
  board.note('a note');
  line.end('trial 0   SUCCEEDED');
  board.stop();
  expect(board.live).toBe(false);
  expect(sent()).toBe('trial 0     20/60   lr 0.02\na note\ntrial 0   SUCCEEDED\n');
});

it('moves nothing on a terminal that cannot', () => {
  vi.stubEnv('TERM', 'dumb');
  const { terminal, sent } = stream(true);
  const board = progressBoard(terminal);
  board.line('trial 0', 60).status(20, 'lr 0.02');
  board.stop();
  expect(board.live).toBe(false);
  expect(sent()).toBe('trial 0     20/60   lr 0.02\n');
});

it('is a bar for each line on a terminal, and notes above them', () => {
  const { terminal, sent } = stream(true);
  const board = progressBoard(terminal);
  board.note('before');
  const first = board.line('trial 0', 60);
  const second = board.line('trial 1', 60);
  first.status(30, 'half');
  second.status(60, 'all');
  second.end('trial 1   SUCCEEDED');
  board.stop();
  board.note('after');
  expect(board.live).toBe(true);
  expect(sent()).toMatch(/^before\n/);
  expect(sent()).toContain('██████████░░░░░░░░░░ 30/60   half');
  expect(sent()).toContain('trial 1   SUCCEEDED\n');
  expect(sent()).toMatch(/after\n$/);
});

it.each([
  { depth: 1, shown: '█████░' },
  { depth: 8, shown: '\u001b[36m█████' },
])('has colours where its own stream shows them, whatever else does: $depth bits', ({ depth, shown }) => {
  // Continuous integration, where some libraries take colours for granted.
  vi.stubEnv('CI', '1');
  const { terminal, sent } = stream(true, depth);
  const board = progressBoard(terminal);
  board.line('trial 0', 60).status(15, 'a quarter');
  board.stop();
  expect(sent()).toContain(shown);
});

it('draws no more once it was stopped, even when every line had ended', () => {
  vi.useFakeTimers();
  const { terminal } = stream(true);
  const board = progressBoard(terminal);
  board.line('trial 0', 60).end('trial 0   SUCCEEDED');
  expect(vi.getTimerCount()).toBeGreaterThan(0);
  board.stop();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});
