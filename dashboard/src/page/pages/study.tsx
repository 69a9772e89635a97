/** One study: what its hyperparameters did and why, while it trains and afterwards. */

import { useLayoutEffect, useMemo } from 'preact/hooks';
import type { StepRow, StudyDetail, TrialRow } from '../../api.ts';
import { VerdictStrip } from '../charts/verdict-strip.tsx';
import { cost, count, duration, loss, moment, momentExactly, percent, words } from '../format.ts';
import { StudyActions } from '../parts/actions.tsx';
import { Empty, FaultNote, Progress, Section, State, useNow, Waiting } from '../parts/common.tsx';
import { column, DataTable, numberColumn } from '../parts/data-table.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { place, setQuery } from '../state/router.ts';
import { StudyModel, timeLeft } from '../state/study.ts';
import { Costs } from '../study/costs.tsx';
import { Hypergradients } from '../study/hypergradients.tsx';
import { Losses } from '../study/losses.tsx';
import { OuterStepView } from '../study/outer-step.tsx';
import { Schedules } from '../study/schedules.tsx';
import { Specification } from '../study/specification.tsx';
import { Vectors } from '../study/vectors.tsx';

export function StudyPage({ id }: { readonly id: string }) {
  const model = useMemo(() => new StudyModel(id), [id]);
  // Before it is painted: what it asks for comes meanwhile.
  useLayoutEffect(() => {
    model.open(trialIn(place.peek().query));
    return () => model.close();
  }, [model]);
  const detail = model.detail.value;
  if (model.gone.value) {
    return (
      <Empty title="This study is gone.">
        <p>
          {model.gone.value}. <a href="/">All studies</a>
        </p>
      </Empty>
    );
  }
  if (detail === undefined) {
    return model.fault.value ? (
      <FaultNote fault={model.fault.value} onRetry={() => void model.load()} />
    ) : (
      <Waiting what="the study" />
    );
  }
  return <StudyView model={model} detail={detail} />;
}

/** Position of the trial that the address asks for. */
const trialIn = (query: URLSearchParams): number =>
  Math.max(0, Math.trunc(Number(query.get('trial') ?? 0)) || 0);

function StudyView({ model, detail }: { readonly model: StudyModel; readonly detail: StudyDetail }) {
  const { study, trials } = detail;
  const { query } = place.value;
  const position = Math.min(trialIn(query), Math.max(0, trials.length - 1));
  const trial = trials[position];
  const steps = model.steps(position).value;
  const asked = Math.max(0, Math.trunc(Number(query.get('step')))) || undefined;
  // The newest is followed until somebody chooses one.
  const picked = Math.min(asked === undefined ? steps.length - 1 : asked - 1, steps.length - 1);
  const pick = (index: number) => setQuery({ step: index >= steps.length - 1 ? undefined : index + 1 });
  const moves = study.estimator !== 'fixed';
  const hasVectors = steps.some(({ values }) =>
    Object.values(values).some((value) => typeof value === 'object' && value !== null),
  );
  return (
    <article class="study">
      <Head model={model} detail={detail} />
      {trials.length > 1 && <Trials trials={trials} position={position} evaluation={study.evaluation} />}
      {trial === undefined ? (
        <Empty title="It has no trials." />
      ) : (
        <>
          <TrialLine trial={trial} model={model} steps={steps} total={study.steps} />
          {steps.length === 0 && <NoSteps model={model} position={position} />}
          {steps.length > 0 && (
            <div class="grid" data-ready={model.isLoaded(position) ? steps.length : undefined}>
              {moves && (
                <Section
                  title="Verdicts"
                  about="Each outer step, by how far its estimate was trusted. Choose one to look at below; the newest is followed otherwise."
                  tools={
                    asked !== undefined && (
                      <button type="button" onClick={() => setQuery({ step: undefined })}>
                        Follow the newest
                      </button>
                    )
                  }
                >
                  <VerdictStrip steps={steps} picked={picked} onPick={pick} />
                </Section>
              )}
              <Schedules model={model} detail={detail} position={position} picked={picked} onPick={pick} />
              <Losses model={model} detail={detail} position={position} picked={picked} onPick={pick} />
              {moves && (
                <OuterStepView
                  id={model.id}
                  position={position}
                  steps={steps}
                  picked={picked}
                  onPick={pick}
                />
              )}
              {moves && (
                <Hypergradients
                  id={model.id}
                  position={position}
                  steps={steps}
                  picked={picked}
                  onPick={pick}
                />
              )}
              {hasVectors && (
                <Vectors id={model.id} position={position} detail={detail} steps={steps} picked={picked} />
              )}
              <Costs steps={steps} trial={trial} picked={picked} onPick={pick} />
            </div>
          )}
        </>
      )}
      <Specification detail={detail} id={model.id} position={position} />
    </article>
  );
}

function NoSteps({ model, position }: { readonly model: StudyModel; readonly position: number }) {
  const fault = model.stepsFault.value;
  if (model.isLoaded(position)) {
    return (
      <Empty title="No outer step is done yet.">
        <p>Charts appear with the first one, by themselves.</p>
      </Empty>
    );
  }
  if (fault !== undefined) return <FaultNote fault={fault} onRetry={() => model.readAgain(position)} />;
  return <Waiting what="outer steps" />;
}

function Head({ model, detail }: { readonly model: StudyModel; readonly detail: StudyDetail }) {
  const { study } = detail;
  return (
    <PageHead
      title={study.displayName || model.id}
      about={
        <>
          <p class="muted">
            <State state={study.state} /> {study.stateReason}
          </p>
          <p class="muted">
            {study.estimator} · {study.problem} · {count(study.steps)} steps · made{' '}
            <time dateTime={new Date(study.createTime).toISOString()} title={momentExactly(study.createTime)}>
              {moment(study.createTime)}
            </time>
            {study.owner !== '' && ` by ${study.owner}`}
            {study.predictedCost > 0 && ` · predicted cost ${cost(study.predictedCost)}`}
            {Object.entries(study.labels).map(([key, value]) => (
              <a
                key={key}
                class="label"
                href={`/?q=${encodeURIComponent(value === '' ? key : `${key}=${value}`)}`}
              >
                {value === '' ? key : `${key}=${value}`}
              </a>
            ))}
          </p>
        </>
      }
    >
      <StudyActions study={study} />
    </PageHead>
  );
}

function Trials({
  trials,
  position,
  evaluation,
}: {
  readonly trials: readonly TrialRow[];
  readonly position: number;
  readonly evaluation: string;
}) {
  const read = (trial: TrialRow) => (evaluation === 'averaged' ? trial.averagedValidation : trial.validation);
  return (
    <Section title="Trials" about="One for each seed at each point. Choose which to look at.">
      <DataTable
        label="Trials"
        columns={[
          ...['Trial', 'State', 'Seed', 'Point'].map(column),
          ...['Validation loss', 'Accuracy', 'Cost'].map(numberColumn),
        ]}
      >
        {trials.map((trial) => (
          <tr key={trial.name} class={trial.position === position ? 'chosen' : ''}>
            <td>
              <label class="nowrap">
                <input
                  type="radio"
                  name="trial"
                  checked={trial.position === position}
                  onChange={() => setQuery({ trial: trial.position, step: undefined })}
                />{' '}
                {trial.position}
              </label>
            </td>
            <td title={trial.stateReason}>
              <State state={trial.state} />
            </td>
            <td>{trial.seed}</td>
            <td>
              {Object.entries(trial.choices)
                .map(([name, value]) => `${words(name)} ${value}`)
                .join(', ') || '–'}
            </td>
            <td class="number">{loss(read(trial)?.loss)}</td>
            <td class="number">{percent(read(trial)?.accuracy)}</td>
            <td class="number">{cost(trial.cost)}</td>
          </tr>
        ))}
      </DataTable>
    </Section>
  );
}

interface TrialLineProps {
  readonly trial: TrialRow;
  readonly model: StudyModel;
  readonly steps: readonly StepRow[];
  readonly total: number;
}

function TrialLine({ trial, model, steps, total }: TrialLineProps) {
  useNow(5_000);
  const done = Math.max(trial.stepsDone, model.progress.value.get(trial.name) ?? 0);
  const left = timeLeft(trial, done, total, steps);
  const figures = [
    ['validation loss, averaged weights', loss(trial.averagedValidation?.loss)],
    ['last weights', loss(trial.validation?.loss)],
    ['accuracy', percent(trial.averagedValidation?.accuracy)],
    ...(trial.averagedTest ? [['test accuracy', percent(trial.averagedTest.accuracy)]] : []),
    ['cost', cost(trial.cost)],
    ...(trial.endTime !== undefined && trial.startTime !== undefined
      ? [['took', duration(trial.endTime - trial.startTime)]]
      : []),
  ];
  return (
    <div class="trial-line">
      <State state={trial.state} />
      {trial.state === 'RUNNING' || trial.state === 'PAUSED' || trial.state === 'PENDING' ? (
        <>
          <Progress share={done / total} label={`${count(done)} of ${count(total)} steps`} />
          <span class="steady">
            {count(done)} of {count(total)} steps{left !== undefined && `, ${duration(left)} left`}
          </span>
        </>
      ) : (
        <span>{trial.stateReason}</span>
      )}
      <dl class="figures">
        {figures.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {trial.attempts > 1 && <span class="muted">begun {trial.attempts} times</span>}
      {trial.fallbackWindows > 0 && (
        <span class="muted">{trial.fallbackWindows} windows without a report of the DMD service</span>
      )}
    </div>
  );
}
