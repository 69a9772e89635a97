/**
 * Figures for Prometheus, of one server: nothing is global but what prom-client measures of the process itself.
 * docs/operations.md lists them.
 */

import { Verdict } from '@glocal/proto/glocal/v1/dmd';
import type { OuterStep } from '@glocal/proto/glocal/v1/study';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { enumName } from '../resource/enum-name.ts';

const PREFIX = 'glocal_trainer_';
/** From a cached answer to a watch of an hour, in seconds. */
const CALL_BUCKETS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60, 600, 3_600];
const STORE_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5];
const DMD_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30, 60];
const CHECKPOINT_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5];

/** What there is of a state; names as in the contract. */
export type CountsByState = Readonly<Record<string, number>>;

/** What is asked for when somebody looks. */
export interface Standing {
  readonly storeWritable: boolean;
  readonly dmdReachable: boolean;
  readonly studies: CountsByState;
  readonly trials: CountsByState;
}

export class Metrics {
  readonly #registry = new Registry();
  /** Inner steps that a trial had done when it was last heard of. */
  readonly #steps = new Map<string, number>();

  readonly #calls = this.#counter('grpc_calls_total', 'Calls that have ended', ['method', 'code']);
  readonly #callSeconds = this.#histogram('grpc_call_seconds', 'Time of a call', CALL_BUCKETS, ['method']);
  readonly #callsInFlight = this.#gauge('grpc_calls_in_flight', 'Calls that go on, watches among them', [
    'method',
  ]);
  readonly #storeSeconds = this.#histogram(
    'store_call_seconds',
    'Time from asking the store to its answer: of a write until it is durable',
    STORE_BUCKETS,
    ['call'],
  );
  readonly #storeCalls = this.#gauge('store_calls_in_flight', 'Calls that wait for the store');
  readonly #innerSteps = this.#counter('inner_steps_total', 'Inner steps of all trials');
  readonly #outerSteps = this.#counter('outer_steps_total', 'Outer steps that were stored');
  readonly #windows = this.#counter(
    'dmd_windows_total',
    'Windows that the DMD service was asked about, by its verdict, or NO_REPORT',
    ['verdict'],
  );
  readonly #fallbacks = this.#counter(
    'fallbacks_total',
    'Windows whose update used the local hypergradient for want of a report',
  );
  readonly #dmdSeconds = this.#histogram(
    'dmd_wait_seconds',
    'Time that a trial waited for the report on a window after its last row',
    DMD_BUCKETS,
  );
  readonly #leftAlone = this.#gauge(
    'dmd_circuit_open',
    'Training processes that leave the DMD service alone for now, as it was away',
  );
  readonly #checkpointSeconds = this.#histogram(
    'checkpoint_write_seconds',
    'Time until a checkpoint is durable',
    CHECKPOINT_BUCKETS,
  );
  readonly #checkpointBytes = this.#counter('checkpoint_written_bytes_total', 'Bytes of checkpoints written');
  readonly #processes = this.#gauge('training_processes', 'Training processes that run');
  readonly #memory = this.#gauge(
    'training_process_memory_bytes',
    'Resident memory of a training process, where the system tells',
    ['trial'],
  );
  readonly #endings = this.#counter(
    'training_process_exits_total',
    'Training processes that have ended, by what became of their trial',
    ['outcome'],
  );
  readonly #storeWritable = this.#gauge('store_writable', 'Whether the store can write');
  readonly #dmdUp = this.#gauge('dmd_up', 'Whether the DMD service answered when it was last asked');
  readonly #studies = this.#gauge('studies', 'Studies that are kept', ['state']);
  readonly #trials = this.#gauge('trials', 'Trials that are kept', ['state']);
  readonly #ask: () => Promise<Standing>;
  /** Training processes whose circuit is open. */
  readonly #open = new Set<string>();

  /** @param ask what is to be known when somebody looks. */
  constructor(info: { readonly version: string; readonly backend: string }, ask: () => Promise<Standing>) {
    this.#ask = ask;
    this.#gauge('info', 'The trainer', ['version', 'backend']).set(info, 1);
    collectDefaultMetrics({ register: this.#registry, prefix: PREFIX });
  }

  /** In Prometheus's format. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Names and what they stand for. */
  describe(): { readonly name: string; readonly help: string }[] {
    return this.#registry.getMetricsAsArray().map(({ name, help }) => ({ name, help }));
  }

  /** All figures as text. */
  async read(): Promise<string> {
    const { storeWritable, dmdReachable, studies, trials } = await this.#ask();
    this.#storeWritable.set(Number(storeWritable));
    this.#dmdUp.set(Number(dmdReachable));
    setStates(this.#studies, studies);
    setStates(this.#trials, trials);
    return this.#registry.metrics();
  }

  /** A call begins; to be called with its code when it ends. */
  call(method: string): (code: string) => void {
    const began = performance.now();
    this.#callsInFlight.inc({ method });
    return (code) => {
      this.#callsInFlight.dec({ method });
      this.#calls.inc({ method, code });
      this.#callSeconds.observe({ method }, secondsSince(began));
    };
  }

  /** The store is asked; to be called when it has answered. */
  storeCall(call: string): () => void {
    const began = performance.now();
    this.#storeCalls.inc();
    return () => {
      this.#storeCalls.dec();
      this.#storeSeconds.observe({ call }, secondsSince(began));
    };
  }

  /** A training process begins where its trial is. */
  processBegan(trial: string, stepsDone: number): void {
    this.#processes.inc();
    this.#steps.set(trial, stepsDone);
  }

  /** @param outcome state of the trial after it. */
  attemptEnded(outcome: string): void {
    this.#endings.inc({ outcome });
  }

  processEnded(trial: string): void {
    this.#processes.dec();
    this.#steps.delete(trial);
    this.#memory.remove({ trial });
    this.circuit(trial, false);
  }

  progress(trial: string, stepsDone: number): void {
    const done = stepsDone - (this.#steps.get(trial) ?? stepsDone);
    this.#steps.set(trial, stepsDone);
    // A trial that rolled back is where it was before.
    if (done > 0) this.#innerSteps.inc(done);
  }

  memory(trial: string, bytes: number): void {
    this.#memory.set({ trial }, bytes);
  }

  /** Whether the training process leaves the DMD service alone. */
  circuit(trial: string, isOpen: boolean): void {
    if (isOpen) this.#open.add(trial);
    else this.#open.delete(trial);
    this.#leftAlone.set(this.#open.size);
  }

  checkpoint(bytes: number): void {
    this.#checkpointBytes.inc(bytes);
  }

  outerStep({ report, update, timing }: OuterStep): void {
    this.#outerSteps.inc();
    if (timing?.checkpoint !== undefined) this.#checkpointSeconds.observe(inSeconds(timing.checkpoint));
    if (report === undefined && !update?.fellBack) return;
    this.#windows.inc({ verdict: report === undefined ? 'NO_REPORT' : enumName(Verdict, report.verdict) });
    if (update?.fellBack) this.#fallbacks.inc();
    if (timing?.dmd !== undefined) this.#dmdSeconds.observe(inSeconds(timing.dmd));
  }

  #counter<L extends string>(name: string, help: string, labelNames: L[] = []): Counter<L> {
    return new Counter({ name: `${PREFIX}${name}`, help, labelNames, registers: [this.#registry] });
  }

  #gauge<L extends string>(name: string, help: string, labelNames: L[] = []): Gauge<L> {
    return new Gauge({ name: `${PREFIX}${name}`, help, labelNames, registers: [this.#registry] });
  }

  #histogram<L extends string>(
    name: string,
    help: string,
    buckets: number[],
    labelNames: L[] = [],
  ): Histogram<L> {
    return new Histogram({
      name: `${PREFIX}${name}`,
      help,
      buckets,
      labelNames,
      registers: [this.#registry],
    });
  }
}

function setStates(gauge: Gauge<'state'>, counts: CountsByState): void {
  gauge.reset();
  for (const [state, count] of Object.entries(counts)) gauge.set({ state }, count);
}

const inSeconds = ({ seconds, nanos }: { seconds: bigint; nanos: number }): number =>
  Number(seconds) + nanos / 1e9;

const secondsSince = (began: number): number => (performance.now() - began) / 1_000;
