/** Driving a trial, over connections that break. */

import { TrialState } from '@glocal/proto/glocal/v1/study';
import type { DriveTrialRequest, DriveTrialResponse } from '@glocal/proto/glocal/v1/study_service';
import { type DrivenWindow, float, GlocalClient, type Study, space } from '@glocal/sdk';
import { type ServerDuplexStream, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, expectTypeOf, it } from 'vitest';
import { outerStep, STUDY, study, TRIAL, trial } from './support/messages.ts';
import { TcpProxy } from './support/proxy.ts';
import { type ScriptedServer, serviceError, startScriptedServer } from './support/scripted-server.ts';

type DriveCall = ServerDuplexStream<DriveTrialRequest, DriveTrialResponse>;
type Response = NonNullable<DriveTrialResponse['response']>;
const STEPS = 4;

/** Proposes one window after the other, and keeps what was decided, as the trainer does. */
class Trainer {
  /** Decisions that are stored: one for each outer step. */
  readonly decisions: object[] = [];
  /** What one request does in place of what it would; undefined: what it would. */
  intercept: ((call: DriveCall, request: DriveTrialRequest, attempt: number) => boolean) | undefined;
  readonly starts: object[] = [];
  #current: DriveCall | undefined;

  readonly serve = (call: DriveCall): void => {
    call.on('error', () => {});
    let attempt = 0;
    call.on('data', (message: DriveTrialRequest) => {
      if (message.request?.$case === 'start') {
        this.starts.push(message.request.value);
        attempt = this.starts.length;
      }
      if (this.intercept?.(call, message, attempt) === true) return;
      this.take(call, message);
    });
    call.on('end', () => call.end());
  };

  take(call: DriveCall, { request }: DriveTrialRequest): void {
    if (request?.$case === 'start') {
      this.#current?.emit(
        'error',
        serviceError({ code: status.ABORTED, message: 'another', reason: 'TAKEN_OVER' }),
      );
      this.#current = call;
      say(call, { $case: 'attached', value: trial(0, { outerStepsDone: this.decisions.length }) });
    } else if (request?.$case === 'decision') {
      const { outerStep: index, ...decision } = request.value;
      if (index === this.decisions.length + 1) this.decisions.push(decision);
      say(call, { $case: 'outerStep', value: outerStep(index) });
    }
    this.goOn(call);
  }

  goOn(call: DriveCall): void {
    const index = this.decisions.length + 1;
    if (index <= STEPS) propose(call, index);
    else {
      say(call, { $case: 'ended', value: trial(0, { outerStepsDone: STEPS, state: TrialState.SUCCEEDED }) });
      call.end();
    }
  }
}

const say = (call: DriveCall, response: Response) => call.write({ response });
const propose = (call: DriveCall, index: number) =>
  say(call, {
    $case: 'proposal',
    value: { outerStep: outerStep(index), deadline: new Date(60_000), givesUp: false },
  });

let trainer: Trainer;
let server: ScriptedServer;
let proxy: TcpProxy;
let client: GlocalClient;
let driven: Study;

beforeEach(async () => {
  trainer = new Trainer();
  server = await startScriptedServer({
    getStudy: (_call, callback) => callback(null, study()),
    listTrials: (_call, callback) => callback(null, { trials: [trial()], nextPageToken: '' }),
    getOuterStep: (_call, callback) => callback(null, outerStep(1)),
    readOuterStep: (call) => {
      const index = Number(call.request.name.split('/').at(-1));
      call.write({ part: { $case: 'outerStep', value: outerStep(index) } });
      call.end();
    },
    driveTrial: trainer.serve,
  });
  proxy = await TcpProxy.start(server.port);
  client = new GlocalClient({ address: proxy.address, retry: { initialBackoff: 10 } });
  driven = await client.studies.get(STUDY);
});

afterEach(async () => {
  client.close();
  await proxy.close();
  server.stop();
});

/** Accepts every window, and does something more after each. */
async function acceptAll(each: (window: DrivenWindow) => unknown = () => {}): Promise<number[]> {
  const seen: number[] = [];
  for await (const window of driven.drive()) {
    seen.push(window.index);
    await window.accept();
    await each(window);
  }
  return seen;
}

const accepted = Array.from({ length: STEPS }, () => ({ action: { $case: 'accept', value: {} } }));

describe('a driven trial', () => {
  it('gives one window after the other, until it has ended', async () => {
    expect(await acceptAll()).toEqual([1, 2, 3, 4]);
    expect(trainer.decisions).toMatchObject(accepted);
    expect(trainer.starts).toEqual([{ trial: TRIAL, includeWindows: false }]);
  });

  it('does as the client decides', async () => {
    for await (const window of driven.drive({ trial: TRIAL, includeWindows: true })) {
      if (window.index === 1) await window.set({ lr: 0.5, l2: [0.1, 0.2] });
      else if (window.index === 2) await window.accept({ outerRate: 0.1 });
      else if (window.index === 3) await window.hold();
      else expect((await window.stop('enough')).index).toBe(4);
    }
    expect(trainer.decisions).toMatchObject([
      {
        action: {
          $case: 'setValues',
          value: {
            values: [
              { name: 'lr', value: 0.5, values: [] },
              { name: 'l2', value: 0, values: [0.1, 0.2] },
            ],
          },
        },
        outerRate: undefined,
      },
      { action: { $case: 'accept' }, outerRate: 0.1 },
      { action: { $case: 'hold' } },
      { action: { $case: 'stop', value: { reason: 'enough' } } },
    ]);
    expect(trainer.starts).toEqual([{ trial: TRIAL, includeWindows: true }]);
  });

  it('shows what is proposed, and until when', async () => {
    for await (const window of driven.drive()) {
      expect(window).toMatchObject({
        values: { lr: 0.01 },
        nextValues: { lr: 0.02 },
        verdict: 'TRUSTED',
        deadline: new Date(60_000),
        givesUp: false,
      });
      break;
    }
  });

  it('tells which estimates can be trusted', async () => {
    trainer.intercept = (call, message) => {
      if (message.request?.$case !== 'start') return false;
      const step = outerStep(1);
      const components = ['lr', 'l2/a', 'l2/b', 'w/0', 'w/1'];
      const window = { components, firstStep: 1, rows: 2, stride: 1, hypergradients: Buffer.of() };
      const report = step.report && {
        ...step.report,
        componentTrusted: [true, true, false, true, true],
      };
      say(call, {
        $case: 'proposal',
        value: { outerStep: { ...step, window, report }, deadline: undefined, givesUp: true },
      });
      return true;
    };
    for await (const window of driven.drive()) {
      expect(['lr', 'l2', 'w', 'momentum'].map((name) => window.trusted(name))).toEqual([
        true,
        false,
        true,
        false,
      ]);
      expect(() => window.trusted('lrr')).toThrow(
        'name: "lrr" is not in the space, which has lr, momentum, weightDecay',
      );
      break;
    }
  });

  it('goes on with the same call in a program that was started again', async () => {
    for await (const window of driven.drive()) {
      if (window.index === 3) break;
      await window.accept();
    }
    expect(await acceptAll()).toEqual([3, 4]);
    expect(trainer.decisions).toMatchObject(accepted);
  });

  it('is left when the loop is', async () => {
    const left = new Promise<void>((resolve) => {
      trainer.intercept = (call) => {
        call.on('cancelled', resolve);
        return false;
      };
    });
    for await (const _window of driven.drive()) break;
    await left;
  });

  it('is not gone on with before its window was decided', async () => {
    const loop = async () => {
      for await (const _window of driven.drive());
    };
    await expect(loop()).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      reason: 'UNDECIDED',
      message: expect.stringContaining('outer step 1'),
    });
  });

  it('is decided by each of its methods', async () => {
    const decide: ((window: DrivenWindow) => Promise<unknown>)[] = [
      (window) => window.step({ outerRate: 0.2 }),
      (window) => window.set({ lr: 0.5 }),
      (window) => window.hold({ outerRate: 0.1 }),
      (window) => window.stop('enough'),
    ];
    for await (const window of driven.drive()) {
      expect(window).toMatchObject({ stepsDone: outerStep(window.index).step, step: expect.any(Function) });
      await decide[window.index - 1]?.(window);
    }
    expect(trainer.decisions).toMatchObject([
      { action: { $case: 'accept' }, outerRate: 0.2 },
      { action: { $case: 'setValues', value: { values: [{ name: 'lr', value: 0.5 }] } } },
      { action: { $case: 'hold' }, outerRate: 0.1 },
      { action: { $case: 'stop', value: { reason: 'enough' } } },
    ]);
  });

  it('takes no step without its rate', async () => {
    for await (const window of driven.drive()) {
      for (const wrong of [{}, { outerRate: Number.NaN }, { outerRte: 1 }] as never[]) {
        await expect(window.step(wrong)).rejects.toMatchObject({ reason: 'NOT_ENCODABLE' });
      }
      break;
    }
    expect(trainer.decisions).toEqual([]);
  });

  it('takes one decision for each window', async () => {
    for await (const window of driven.drive()) {
      const first = window.accept();
      await expect(window.hold()).rejects.toMatchObject({ reason: 'NOT_OPEN' });
      await first;
      await expect(window.hold()).rejects.toMatchObject({ reason: 'NOT_OPEN' });
    }
    expect(trainer.decisions).toMatchObject(accepted);
  });

  it('can be decided about again when a decision was refused', async () => {
    trainer.intercept = (call, { request }) => {
      if (request?.$case !== 'decision' || request.value.action?.$case !== 'setValues') return false;
      const violations = [
        { field: 'decision.set_values.values[0].value', description: '7 is above max (1)' },
      ];
      call.emit(
        'error',
        serviceError({
          code: status.INVALID_ARGUMENT,
          message: 'no',
          reason: 'INVALID_DECISION',
          violations,
        }),
      );
      return true;
    };
    const seen: number[] = [];
    for await (const window of driven.drive()) {
      seen.push(window.index);
      await expect(window.set({ momentum: undefined, lr: 7 })).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        reason: 'INVALID_DECISION',
        message: 'lr: 7 is above max (1)',
        fieldViolations: [{ field: 'lr', description: '7 is above max (1)' }],
      });
      await window.hold();
    }
    expect(seen).toEqual([1, 2, 3, 4]);
    expect(trainer.decisions).toMatchObject(accepted.map(() => ({ action: { $case: 'hold' } })));
  });

  it('refuses what cannot be sent, before it is', async () => {
    for await (const window of driven.drive()) {
      await expect(window.set({ lr: '0.1' } as never)).rejects.toMatchObject({
        reason: 'NOT_ENCODABLE',
        fieldViolations: [{ field: 'lr' }],
      });
      await expect(window.accept({ rate: 1 } as never)).rejects.toMatchObject({ reason: 'NOT_ENCODABLE' });
      await expect(window.stop(7 as never)).rejects.toMatchObject({ reason: 'NOT_ENCODABLE' });
      break;
    }
    expect(trainer.decisions).toEqual([]);
  });

  it('says so when another client drives it now, and does not come back', async () => {
    for await (const window of driven.drive()) {
      if (window.index === 1) await window.accept();
      else break;
    }
    const other = (async () => {
      for await (const window of driven.drive()) {
        await new Promise((resolve) => setTimeout(resolve, 100));
        await window.accept();
      }
    })();
    const taker = new Promise((resolve) => setTimeout(() => resolve(acceptAll()), 50));
    await expect(other).rejects.toMatchObject({ code: 'ABORTED', reason: 'TAKEN_OVER' });
    expect(await taker).toEqual([2, 3, 4]);
    expect(trainer.starts).toHaveLength(3);
  });

  it('ends with its signal', async () => {
    const abort = new AbortController();
    const reason = new Error('enough');
    trainer.intercept = () => true;
    setTimeout(() => abort.abort(reason), 100);
    await expect(driven.drive({ signal: abort.signal }).next()).rejects.toMatchObject({
      code: 'CANCELLED',
      cause: reason,
    });
  });

  it('passes on what the server says of a trial that cannot be driven', async () => {
    trainer.intercept = (call) => {
      call.emit(
        'error',
        serviceError({ code: status.FAILED_PRECONDITION, message: 'it is not DRIVEN', reason: 'STATE' }),
      );
      return true;
    };
    await expect(driven.drive().next()).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
    expect(trainer.starts).toHaveLength(1);
  });
});

describe('a driver whose connection is lost', () => {
  it('goes on from the open window, between decisions', async () => {
    expect(await acceptAll(() => proxy.cut())).toEqual([1, 2, 3, 4]);
    expect(trainer.decisions).toMatchObject(accepted);
    expect(trainer.starts.length).toBeGreaterThan(1);
  });

  it('sends a decision again that did not arrive', async () => {
    trainer.intercept = (_call, { request }, attempt) => {
      if (request?.$case !== 'decision' || attempt > 1) return false;
      proxy.cut();
      return true;
    };
    expect(await acceptAll()).toEqual([1, 2, 3, 4]);
    expect(trainer.decisions).toMatchObject(accepted);
  });

  it('learns what came of a decision that was stored, and whose answer was lost', async () => {
    trainer.intercept = (_call, { request }, attempt) => {
      if (request?.$case !== 'decision' || attempt > 1) return false;
      trainer.decisions.push({ action: request.value.action });
      proxy.cut();
      return true;
    };
    const steps: number[] = [];
    for await (const window of driven.drive()) steps.push((await window.accept()).index);
    expect(steps).toEqual([1, 2, 3, 4]);
    expect(trainer.decisions).toMatchObject(accepted);
  });

  it('waits while the window is open, however often the connection breaks', async () => {
    const seen: number[] = [];
    for await (const window of driven.drive()) {
      seen.push(window.index);
      if (window.index === 2) {
        for (let i = 0; i < 3; i++) {
          proxy.cut();
          await new Promise((resolve) => setTimeout(resolve, 400));
        }
      }
      await window.accept();
    }
    expect(seen).toEqual([1, 2, 3, 4]);
    expect(trainer.decisions).toMatchObject(accepted);
  });

  it('gives up after reconnectTimeout', async () => {
    const loop = async () => {
      for await (const window of driven.drive({ reconnectTimeout: 400 })) {
        await proxy.close();
        await window.accept();
      }
    };
    await expect(loop()).rejects.toMatchObject({ code: 'UNAVAILABLE', reason: 'UNREACHABLE' });
  });
});

it('the types know what can be set', () => {
  const tuned = space({ lr: float({ min: 0, max: 1, init: 0.1 }) });
  type Window = DrivenWindow<typeof tuned.parameters>;
  expectTypeOf<Window['values']>().toEqualTypeOf<{ readonly lr: number }>();
  const act = async (window: Window) => {
    await window.set({ lr: window.values.lr * 0.9 });
    window.trusted('lr');
    // @ts-expect-error There is no such parameter.
    await window.set({ lrr: 0.1 });
    // @ts-expect-error There is no such parameter.
    window.trusted('lrr');
  };
  expectTypeOf(act).parameter(0).toEqualTypeOf<Window>();
});
