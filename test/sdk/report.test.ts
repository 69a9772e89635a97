/** Reporting for an external trial, over connections that break. */

import { FloatParameter, RunMode, Scale, TrialState } from '@glocal/proto/glocal/v1/study';
import type {
  Report,
  ReportHypergradientsRequest,
  ReportHypergradientsResponse,
} from '@glocal/proto/glocal/v1/study_service';
import { float, GlocalClient, type ReportSession, type Study, space, vector } from '@glocal/sdk';
import { type ServerDuplexStream, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { outerStep, STUDY, study, TRIAL, trial } from './support/messages.ts';
import { TcpProxy } from './support/proxy.ts';
import { type ScriptedServer, serviceError, startScriptedServer } from './support/scripted-server.ts';

type ReportCall = ServerDuplexStream<ReportHypergradientsRequest, ReportHypergradientsResponse>;
type Response = NonNullable<ReportHypergradientsResponse['response']>;
const SIGMA = 3;
const WINDOWS = 3;

const say = (call: ReportCall, response: Response) => call.write({ response });
const valuesAt = (index: number, size: number) => [
  { name: 'mix', value: index, values: Array.from({ length: size }, (_, i) => index + i) },
  { name: 'rate', value: 10 * index, values: [] },
];
const stepAt = (index: number, size: number) =>
  outerStep(index, { values: valuesAt(index, size), nextValues: valuesAt(index + 1, size) });

/** Keeps rows and makes outer steps of them, as the trainer does. */
class Service {
  /** All values that are stored, one after another: of each outer step its own. */
  readonly windows: number[][] = [[]];
  readonly reports: Report[] = [];
  /** What it does with a request in place of what it would; undefined: what it would. */
  intercept: ((call: ReportCall, request: ReportHypergradientsRequest) => boolean) | undefined;
  starts = 0;
  size: number;
  #current: ReportCall | undefined;

  constructor(size: number) {
    this.size = size;
  }

  readonly serve = (call: ReportCall): void => {
    call.on('error', () => {});
    call.on('data', (message: ReportHypergradientsRequest) => {
      if (this.intercept?.(call, message) !== true) this.take(call, message);
    });
    call.on('end', () => call.end());
  };

  take(call: ReportCall, { request }: ReportHypergradientsRequest): void {
    if (request?.$case === 'start') {
      this.starts += 1;
      const { outerStep: index } = this.position();
      this.#current?.emit(
        'error',
        serviceError({ code: status.ABORTED, message: 'another', reason: 'TAKEN_OVER' }),
      );
      this.#current = call;
      const values = valuesAt(index, this.size);
      if (index > WINDOWS) this.end(call);
      else say(call, { $case: 'position', value: { ...this.position(), values } });
    } else if (request?.$case === 'report') {
      this.reports.push(request.value);
      this.answer(call, this.store(request.value));
    }
  }

  /** @returns the index of the outer step that is complete now */
  store({ outerStep: index, firstRow, firstComponent = 0, hypergradients }: Report): number | undefined {
    const window = this.windows[index - 1];
    if (window === undefined) throw new Error(`there is no outer step ${index}`);
    const start = firstRow * (this.size + 1) + firstComponent;
    if (start > window.length) throw new Error(`a gap before ${start}`);
    const bytes = new Uint8Array(hypergradients);
    const values = new Float64Array(bytes.buffer);
    for (const [i, value] of values.entries()) window[start + i] = value;
    if (window.length < SIGMA * (this.size + 1)) return undefined;
    if (this.windows.length === index) this.windows.push([]);
    return index;
  }

  answer(call: ReportCall, complete: number | undefined): void {
    if (complete === undefined) say(call, { $case: 'position', value: this.position() });
    else say(call, { $case: 'outerStep', value: stepAt(complete, this.size) });
    if (complete === WINDOWS) this.end(call);
  }

  end(call: ReportCall): void {
    say(call, { $case: 'ended', value: trial(0, { outerStepsDone: WINDOWS, state: TrialState.SUCCEEDED }) });
    call.end();
  }

  position() {
    const q = this.size + 1;
    const stored = this.windows.at(-1)?.length ?? 0;
    return {
      outerStep: this.windows.length,
      rows: Math.floor(stored / q),
      components: stored % q,
      values: [],
    };
  }
}

const bounds = { ...FloatParameter.create(), scale: Scale.LOGIT, min: 0, max: 100, initial: 1 };
const external = (size: number) => ({
  ...study(),
  mode: RunMode.EXTERNAL,
  space: {
    parameters: [
      { name: 'mix', kind: { $case: 'float' as const, value: { ...bounds, size } } },
      { name: 'rate', kind: { $case: 'float' as const, value: { ...bounds, size: 0 } } },
    ],
  },
});

const typed = space({
  mix: vector({ size: 2, min: 0, max: 100, init: 1 }),
  rate: float({ min: 0, max: 100, init: 1 }),
});

let service: Service;
let server: ScriptedServer;
let proxy: TcpProxy;
let client: GlocalClient;

beforeEach(async () => {
  service = new Service(2);
  server = await startScriptedServer({
    getStudy: (_call, callback) => callback(null, external(service.size)),
    listTrials: (_call, callback) => callback(null, { trials: [trial()], nextPageToken: '' }),
    readOuterStep: (call) => {
      const index = Number(call.request.name.split('/').at(-1));
      call.write({ part: { $case: 'outerStep', value: stepAt(index, service.size) } });
      call.end();
    },
    reportHypergradients: service.serve,
  });
  proxy = await TcpProxy.start(server.port);
  client = new GlocalClient({ address: proxy.address, retry: { initialBackoff: 10 } });
});

afterEach(async () => {
  client.close();
  await proxy.close();
  server.stop();
});

type Session = ReportSession<typeof typed.parameters>;
const open = async (): Promise<Session> =>
  ((await client.studies.get(STUDY, { space: typed })) satisfies Study).report();

/** A hypergradient that tells where it was taken. */
const rowAt = ({ position, values }: Session): Float64Array =>
  Float64Array.of(position.outerStep, position.rows, values.rate);

/** Trains to the end, a row at a time. @returns what the loop saw */
async function train(session: Session, each: () => unknown = () => {}): Promise<string[]> {
  const seen: string[] = [];
  while (session.ended === undefined) {
    const { outerStep: index, rows } = session.position;
    const step = await session.rows([rowAt(session)], { trainLoss: 0.5 });
    if (session.ended === undefined || step !== undefined) {
      seen.push(`${index}/${rows}${step === undefined ? '' : ` → ${step.nextValues.rate}`}`);
    }
    await each();
  }
  return seen;
}

const whole = ['1/0', '1/1', '1/2 → 20', '2/0', '2/1', '2/2 → 30', '3/0', '3/1', '3/2 → 40'];
/** What is stored of them. */
const stored = [1, 2, 3].map((index) => [0, 1, 2].flatMap((row) => [index, row, 10 * index]));
const complete = () => service.windows.slice(0, WINDOWS);

describe('an external trial', () => {
  it('gets the rows of its windows, and moves at their ends', async () => {
    const session = await open();
    expect(session.position).toEqual({ outerStep: 1, rows: 0 });
    expect(session.values).toEqual({ mix: [1, 2], rate: 10 });
    expect(await train(session)).toEqual(whole);
    expect(session.values).toEqual({ mix: [4, 5], rate: 40 });
    expect(session.ended).toMatchObject({ name: TRIAL, state: 'SUCCEEDED' });
    expect(complete()).toEqual(stored);
    expect(service.reports[0]).toMatchObject({ trainLoss: 0.5, firstComponent: undefined });
  });

  it('takes several rows at once, with figures, in one message', async () => {
    const session = await open();
    const validation = { loss: 0.7, accuracy: 0.5, examples: 10 };
    const step = await session.rows([[1, 2, 3], Float64Array.of(4, 5, 6), [7, 8, 9]], { validation });
    expect(step).toMatchObject({ index: 1, nextValues: { mix: [2, 3], rate: 20 } });
    expect(service.windows[0]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(service.reports).toMatchObject([{ firstRow: 0, validation, trainLoss: undefined }]);
    expect(session.position).toEqual({ outerStep: 2, rows: 0 });
  });

  it('takes rows in the order in which they were given, also when nobody waits', async () => {
    const session = await open();
    const rows = [1, 2, 3, 4].map((i) => session.rows([[i, i, i]]));
    expect((await Promise.all(rows)).map((step) => step?.index)).toEqual([
      undefined,
      undefined,
      1,
      undefined,
    ]);
    expect(service.windows).toEqual([
      [1, 1, 1, 2, 2, 2, 3, 3, 3],
      [4, 4, 4],
    ]);
  });

  it('goes on where it was in a program that was started again', async () => {
    const first = await open();
    for (let i = 0; i < 4; i++) await first.rows([rowAt(first)]);
    await first.close();
    await expect(first.rows([[1, 1, 1]])).rejects.toMatchObject({ code: 'CANCELLED' });
    const second = await open();
    expect(second.position).toEqual({ outerStep: 2, rows: 1 });
    expect(second.values.rate).toBe(20);
    expect(await train(second)).toEqual(whole.slice(4));
    expect(complete()).toEqual(stored);
  });

  it('is told at once when it has ended', async () => {
    await train(await open());
    const session = await open();
    expect(session.ended?.state).toBe('SUCCEEDED');
    expect(await session.rows([[1, 1, 1]])).toBeUndefined();
  });

  it('refuses rows that are not of the space, before they are sent', async () => {
    const session = await open();
    await expect(session.rows([[1, 2, 3], [1, 2], [1, Number.NaN, 3], 'row' as never])).rejects.toMatchObject(
      {
        code: 'INVALID_ARGUMENT',
        reason: 'NOT_ENCODABLE',
        fieldViolations: [
          { field: 'rows[1]', description: 'has 2 values; the space has 3 components that move' },
          { field: 'rows[2]' },
          { field: 'rows[3]' },
        ],
      },
    );
    await expect(session.rows([[1, 2, 3]], { loss: 1 } as never)).rejects.toMatchObject({
      reason: 'NOT_ENCODABLE',
    });
    expect(service.reports).toEqual([]);
    expect(await train(session)).toEqual(whole);
  });

  it('can go on after rows that the server refused', async () => {
    let refuse = true;
    service.intercept = (call, { request }) => {
      if (request?.$case !== 'report' || !refuse) return false;
      refuse = false;
      call.emit('error', serviceError({ code: status.ALREADY_EXISTS, message: 'otherwise', reason: 'X' }));
      return true;
    };
    const session = await open();
    await expect(session.rows([[1, 1, 1]])).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
    expect(await train(session)).toEqual(whole);
  });

  it('says so when another client reports now, and does not come back', async () => {
    const session = await open();
    const other = await open();
    await expect(train(session)).rejects.toMatchObject({ code: 'ABORTED', reason: 'TAKEN_OVER' });
    expect(await train(other)).toEqual(whole);
    expect(service.starts).toBe(2);
  });

  it('passes on what the server says of a trial that takes no reports', async () => {
    service.intercept = (call) => {
      const code = status.FAILED_PRECONDITION;
      call.emit('error', serviceError({ code, message: 'it is not EXTERNAL', reason: 'STATE' }));
      return true;
    };
    await expect(open()).rejects.toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'STATE' });
  });
});

describe('a long row', () => {
  it('comes in parts that no message is too small for', async () => {
    service = new Service(400_000);
    // It is the server's field that the handler was bound to.
    server.stop();
    server = await startScriptedServer(
      {
        getStudy: (_call, callback) => callback(null, external(service.size)),
        listTrials: (_call, callback) => callback(null, { trials: [trial()], nextPageToken: '' }),
        reportHypergradients: service.serve,
      },
      { port: server.port },
    );
    const found = await client.studies.get(STUDY);
    const session = await found.report();
    const row = Float64Array.from({ length: 400_001 }, (_, i) => i);
    await session.rows([row, row]);
    expect(service.windows[0]).toEqual([...row, ...row]);
    expect(service.reports.map(({ firstRow, firstComponent }) => [firstRow, firstComponent])).toEqual([
      [0, 0],
      [0, 131_072],
      [0, 262_144],
      [0, 393_216],
      [1, 0],
      [1, 131_072],
      [1, 262_144],
      [1, 393_216],
    ]);
  });
});

describe('a reporter whose connection is lost', () => {
  it('goes on between rows', async () => {
    expect(await train(await open(), () => proxy.cut())).toEqual(whole);
    expect(complete()).toEqual(stored);
    expect(service.starts).toBeGreaterThan(1);
  });

  it.each(['before they are stored', 'after they were stored'])('sends rows again, lost %s', async (when) => {
    let reports = 0;
    service.intercept = (_call, { request }) => {
      if (request?.$case !== 'report' || ++reports % 2 === 0) return false;
      if (when.startsWith('after')) service.store(request.value);
      proxy.cut();
      return true;
    };
    expect(await train(await open())).toEqual(whole);
    expect(complete()).toEqual(stored);
  });

  it('sends the rest of rows of which some were stored', async () => {
    let lost = false;
    service.intercept = (_call, { request }) => {
      if (request?.$case !== 'report' || lost) return false;
      lost = true;
      service.windows[0]?.push(1, 2, 3, 4);
      proxy.cut();
      return true;
    };
    const session = await open();
    const step = await session.rows([
      [1, 2, 3],
      [4, 5, 6],
      [7, 8, 9],
    ]);
    expect(step?.index).toBe(1);
    expect(service.windows[0]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(service.reports.map(({ firstRow, firstComponent }) => [firstRow, firstComponent])).toEqual([
      [1, 1],
      [2, undefined],
    ]);
  });

  it('gives up after reconnectTimeout', async () => {
    const found = await client.studies.get(STUDY, { space: typed });
    const session = await found.report({ reconnectTimeout: 400 });
    await proxy.close();
    await expect(session.rows([[1, 1, 1]])).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });
});
