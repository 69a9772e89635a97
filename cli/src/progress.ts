/** Progress of what is under way: bars that move on a terminal, plain lines elsewhere. Both go to standard error. */

import { styleText } from 'node:util';
import { type Options as BarOptions, MultiBar, type Params, type SingleBar } from 'cli-progress';
import { Pace } from './pace.ts';
import { clock } from './words.ts';

const BAR_WIDTH = 20;
const NAME_WIDTH = 12;

/** One thing that is under way. */
export interface ProgressLine {
  /** So much is done. */
  progress(done: number): void;
  /** So much is done, and this is how it looks; without a terminal it is a line. */
  status(done: number, text: string): void;
  /** Nothing more will come. The line stays as it is; with `text` that stands in place of it. */
  end(text?: string): void;
}

/** Lines of progress, one below the other. */
export interface Board {
  /** Whether lines move: only then there is a use for sparklines. */
  readonly live: boolean;
  /** @param already done when it starts. */
  line(name: string, total: number, already?: number): ProgressLine;
  /** Text for people, above what moves. */
  note(text: string): void;
  /** What is shown stays. Afterwards other text may be written. */
  stop(): void;
}

/** On a terminal that can move its cursor, bars with the time that is left; elsewhere a line for each status. */
export const progressBoard = (stream: NodeJS.WriteStream = process.stderr): Board =>
  stream.isTTY && process.env.TERM !== 'dumb' ? new Bars(stream) : new Lines(stream);

interface Payload {
  readonly name: string;
  readonly status: string;
  readonly time: string;
}

class Bars implements Board {
  readonly live = true;
  readonly #bars: MultiBar;
  readonly #stream: NodeJS.WriteStream;
  /** Whether bars are being drawn, be it none of them at the moment. */
  #drawing = false;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
    const format = (_: BarOptions, { value, total }: Params, { name, status, time }: Payload) => {
      const done = total === 0 ? 0 : Math.round((Math.min(value, total) / total) * BAR_WIDTH);
      const bar = `${this.#styled('cyan', '█'.repeat(done))}${this.#styled('dim', '░'.repeat(BAR_WIDTH - done))}`;
      const count = `${value}/${total}`.padStart(2 * String(total).length + 1);
      return [`${name.padEnd(NAME_WIDTH)}${bar} ${count}`, status, time].filter(Boolean).join('   ');
    };
    this.#bars = new MultiBar({
      ...{ format, stream, hideCursor: true, fps: 8, barsize: BAR_WIDTH, emptyOnZero: true },
      forceRedraw: true,
    });
  }

  line(name: string, total: number, already = 0): ProgressLine {
    this.#drawing = true;
    const bar = this.#bars.create(total, already, {
      name,
      status: '',
      time: this.#styled('dim', 'starting'),
    });
    return new BarLine(bar, total, (text) => {
      // Its place is for those that go on.
      this.note(text);
      this.#bars.remove(bar);
    });
  }

  note(text: string): void {
    if (this.#drawing) this.#bars.log(`${text}\n`);
    else this.#stream.write(`${text}\n`);
  }

  stop(): void {
    if (!this.#drawing) return;
    // What was noted and not yet shown.
    this.#bars.update();
    this.#bars.stop();
    this.#drawing = false;
  }

  /** In a colour where the stream shows colours. */
  #styled(colour: 'cyan' | 'dim', text: string): string {
    return styleText(colour, text, { stream: this.#stream });
  }
}

class BarLine implements ProgressLine {
  readonly #bar: SingleBar;
  readonly #total: number;
  readonly #replace: (text: string) => void;
  readonly #started = performance.now();
  readonly #pace = new Pace();

  constructor(bar: SingleBar, total: number, replace: (text: string) => void) {
    this.#bar = bar;
    this.#total = total;
    this.#replace = replace;
  }

  progress(done: number): void {
    this.#bar.update(done, { time: this.#time(done) });
  }

  status(done: number, text: string): void {
    this.#bar.update(done, { status: text, time: this.#time(done) });
  }

  end(text?: string): void {
    if (text !== undefined) this.#replace(text);
  }

  /** Time that is left, or that it took. */
  #time(done: number): string {
    const now = performance.now();
    this.#pace.mark(done, now);
    if (done >= this.#total) return clock((now - this.#started) / 1_000);
    const left = this.#pace.left(this.#total);
    return left === undefined ? '' : `${clock(left)} left`;
  }
}

class Lines implements Board {
  readonly live = false;
  readonly #stream: NodeJS.WriteStream;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  line(name: string, total: number): ProgressLine {
    return {
      progress() {},
      status: (done, text) => this.note(`${name.padEnd(NAME_WIDTH)}${done}/${total}   ${text}`),
      end: (text) => {
        if (text !== undefined) this.note(text);
      },
    };
  }

  note(text: string): void {
    this.#stream.write(`${text}\n`);
  }

  stop(): void {}
}
