import { describe, expect, it } from 'vitest';
import { POLL_EVERY_MS, Watchdog } from './watchdog.ts';

const MIB = 1024 ** 2;

/** A watchdog with a clock of its own. */
function watching(limits: { memoryBytes?: number; silenceMs?: number } = {}) {
  let now = 0;
  const dog = new Watchdog({ memoryBytes: 0, silenceMs: 600_000, ...limits }, () => now);
  let processorTicks = 0;
  /** Looks every second for so long; the first finding. */
  const watch = (
    seconds: number,
    { computes = true, waits = false, memoryBytes = MIB, known = true } = {},
  ) => {
    for (let second = 0; second < seconds; second++) {
      now += POLL_EVERY_MS;
      if (computes) processorTicks += 1;
      const found = dog.look(known ? { memoryBytes, processorTicks } : undefined, waits);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  const pause = (seconds: number) => {
    now += seconds * 1_000;
  };
  return { dog, watch, pause };
}

describe('a training process', () => {
  it('that takes more memory than it may is found at once', () => {
    const { watch } = watching({ memoryBytes: 100 * MIB });
    expect(watch(100, { memoryBytes: 100 * MIB })).toBeUndefined();
    expect(watch(1, { memoryBytes: 150 * MIB })).toEqual({
      kind: 'memory',
      what: 'the training process took 150 MiB of memory; 100 MiB are allowed',
    });
  });

  it('that neither computes nor says anything has come to a stand', () => {
    const { dog, watch } = watching();
    dog.progressed();
    expect(watch(59, { computes: false })).toBeUndefined();
    expect(watch(3, { computes: false })).toEqual({
      kind: 'hang',
      what: 'the training process neither computed nor said anything for 60 s',
    });
  });

  it('that says that it lives is not at a stand', () => {
    const { dog, watch } = watching();
    for (let i = 0; i < 5; i++) {
      expect(watch(50, { computes: false })).toBeUndefined();
      dog.heard();
    }
  });

  it('that computes for long without a word is alive, until the limit of silence', () => {
    const { dog, watch } = watching({ silenceMs: 600_000 });
    dog.progressed();
    expect(watch(599)).toBeUndefined();
    expect(watch(2)).toEqual({ kind: 'hang', what: 'the training process made no step for 600 s' });
  });

  it('may wait for others as long as it takes, while it says that it lives', () => {
    const { dog, watch } = watching();
    dog.progressed();
    for (let minute = 0; minute < 100; minute++) {
      expect(watch(59, { computes: false, waits: true })).toBeUndefined();
      dog.heard();
    }
    expect(watch(61, { computes: false, waits: true })?.kind).toBe('hang');
  });

  it('may set itself up for longer than it may be silent', () => {
    expect(watching().watch(10_000)).toBeUndefined();
  });

  it('is not blamed for the time that we were stopped, or the machine slept', () => {
    const { dog, watch, pause } = watching();
    dog.progressed();
    pause(100_000);
    expect(watch(30, { computes: false })).toBeUndefined();
    pause(100_000);
    expect(watch(20, { computes: false })).toBeUndefined();
  });

  it('may compute where the system does not tell', () => {
    const { dog, watch } = watching({ memoryBytes: 1 });
    dog.progressed();
    expect(watch(590, { computes: false, known: false })).toBeUndefined();
    expect(watch(20, { computes: false, known: false })?.kind).toBe('hang');
  });
});
