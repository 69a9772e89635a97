/** Managed studies: watched from their creation, and read in the end. */

import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { GlocalClient, OuterStep, Study } from '@glocal/sdk';
import { type QuickSpace, quickStudy } from '../support/studies.ts';
import { patiently } from './patience.ts';
import type { Finding, Outcome, RunOptions, Workload } from './workload.ts';

const SPEC = quickStudy({ outerSteps: 12, seeds: [1, 2] });

type Step = OuterStep<QuickSpace>;

/** All there is to an outer step, but for its name and for times; without the rows, which events do not have. */
const essence = ({ name: _name, trial: _trial, timing: _timing, report, window, ...rest }: Step) => ({
  ...rest,
  report: report && { ...report, computeTime: 0 },
  window: window && { ...window, hypergradients: undefined },
});

/** Outer steps of each trial, in the order of the seeds. */
type Trajectories = readonly (readonly Step[])[];

export class ManagedWorkload implements Workload {
  readonly name = 'managed';
  /** Of a run that nothing disturbed. */
  #expected: Trajectories | undefined;

  async run(client: GlocalClient, { disturbed, signal, fragile }: RunOptions): Promise<Outcome> {
    const requestId = randomUUID();
    const study = await patiently(() => client.studies.create(SPEC, { requestId, signal }));
    const told = await this.#watch(study, signal, fragile);
    const trials = await patiently(() => Array.fromAsync(study.trials({ signal })));
    const trajectories: Step[][] = [];
    for (const { name: trial } of trials) {
      trajectories.push(
        await patiently(() => Array.fromAsync(study.outerSteps({ trial, includeWindows: true, signal }))),
      );
    }
    const findings = [
      ...told.findings,
      ...trials
        .filter(({ state }) => state !== 'SUCCEEDED')
        .map(({ name, state, stateReason }) => illegal(`${name} is ${state}: ${stateReason}`)),
      ...trials.flatMap(({ name }, i) =>
        compareTold(name, told.steps.get(name) ?? [], trajectories[i] ?? []),
      ),
    ];
    if (disturbed) findings.push(...this.#compare(study, trajectories));
    else this.#expected = trajectories;
    return { trials: trials.length, outerSteps: trajectories.flat().length, findings };
  }

  /** All outer steps that a watcher is told of, until the study has ended. */
  async #watch(study: Study<QuickSpace>, signal: AbortSignal, fragile: RunOptions['fragile']) {
    const steps = new Map<string, Step[]>();
    const lame = new Set<string>();
    const cursors = new Set<string>();
    const findings: Finding[] = [];
    for await (const event of study.watch({ signal })) {
      if (event.type === 'progress') continue;
      if (cursors.has(event.cursor)) findings.push(doubled(`the event ${event.cursor} of ${study.name}`));
      cursors.add(event.cursor);
      if (event.type === 'outerStep') steps.set(event.trial, [...(steps.get(event.trial) ?? []), event]);
      if (event.type !== 'trial') continue;
      if (event.crashes > 0) lame.add(event.name);
      else lame.delete(event.name);
      fragile(lame.size > 0);
    }
    return { steps, findings };
  }

  #compare(study: Study<QuickSpace>, trajectories: Trajectories): Finding[] {
    const plain = (path: readonly Step[]) =>
      path.map((step) => ({ ...essence(step), rows: step.window?.hypergradients }));
    return trajectories.flatMap((trajectory, i) => {
      const expected = this.#expected?.[i] ?? [];
      if (isDeepStrictEqual(plain(trajectory), plain(expected))) return [];
      const at = trajectory.findIndex((step, k) => {
        const other = expected[k];
        return other === undefined || !isDeepStrictEqual(plain([step]), plain([other]));
      });
      return [{ kind: 'diverged', text: `trial ${i} of ${study.name} at outer step ${at + 1}` }];
    });
  }
}

/** What a watcher was told must be what is stored, once each. */
function compareTold(trial: string, told: readonly Step[], stored: readonly Step[]): Finding[] {
  const findings: Finding[] = [];
  const indices = stored.map(({ index }) => index);
  if (new Set(indices).size < indices.length) findings.push(doubled(`an outer step of ${trial}: ${indices}`));
  for (const step of told) {
    const kept = stored.find(({ index }) => index === step.index);
    if (kept === undefined || !isDeepStrictEqual(essenceOfEvent(step), essence(kept))) {
      findings.push({
        kind: 'lost',
        text: `outer step ${step.index} of ${trial}, which a watcher was told of`,
      });
    }
  }
  if (told.length !== stored.length) {
    findings.push({
      kind: told.length < stored.length ? 'lost' : 'doubled',
      text: `${told.length} events tell of the ${stored.length} outer steps of ${trial}`,
    });
  }
  return findings;
}

/** An event without what makes it one. */
const essenceOfEvent = (event: Step) => {
  const {
    type: _type,
    cursor: _cursor,
    time: _time,
    ...step
  } = essence(event) as ReturnType<typeof essence> & Record<'type' | 'cursor' | 'time', unknown>;
  return step;
};

const doubled = (text: string): Finding => ({ kind: 'doubled', text });
const illegal = (text: string): Finding => ({ kind: 'illegal', text });
