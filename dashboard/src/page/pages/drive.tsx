/** Drives a trial by hand: each window says what the service would do, and waits for a decision. */

import { useEffect, useMemo, useState } from 'preact/hooks';
import type { DriveState, Fault, ProposalRow } from '../../api.ts';
import { UnitCircle } from '../charts/unit-circle.tsx';
import { count, duration, loss, momentExactly, short, words } from '../format.ts';
import { Confirm, Empty, FaultNote, Section, State, useNow, Waiting } from '../parts/common.tsx';
import { column, DataTable, numberColumn } from '../parts/data-table.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { VerdictLine } from '../parts/verdict-line.tsx';
import { ask, faultOf, post } from '../state/http.ts';
import { place, setQuery, studyPath } from '../state/router.ts';
import { look } from '../state/stream.ts';
import { StudyModel } from '../state/study.ts';
import { numberOf } from '../study/series.ts';

export function DrivePage({ id }: { readonly id: string }) {
  const model = useMemo(() => new StudyModel(id), [id]);
  const [drive, setDrive] = useState<DriveState | undefined>(undefined);
  const [fault, setFault] = useState<Fault | undefined>(undefined);
  useEffect(() => {
    model.open();
    const end = look([model.name], (message) => {
      if (message.type === 'drive') setDrive(message.drive);
    });
    return () => {
      model.close();
      end();
    };
  }, [model]);
  const detail = model.detail.value;
  if (detail === undefined)
    return model.fault.value ? <FaultNote fault={model.fault.value} /> : <Waiting what="the study" />;
  const { study, trials } = detail;
  const position = Number(place.value.query.get('trial') ?? 0) || 0;
  const trial = trials[position];
  const called = study.displayName || id;
  if (study.mode !== 'driven') {
    return (
      <Empty title={`${called} decides by itself.`}>
        <p>
          Only studies that were made with “you decide, after each window” can be driven.{' '}
          <a href={`/create?from=${id}`}>Start one like it</a> with <code>mode: driven</code>.
        </p>
      </Empty>
    );
  }
  const take = async () => {
    try {
      setDrive(await post<DriveState>(`/api/studies/${id}/drive`, { trial: position }));
      setFault(undefined);
    } catch (error) {
      setFault(faultOf(error));
    }
  };
  const leave = () => void ask(`/api/studies/${id}/drive?trial=${position}`, { method: 'DELETE' });
  const mine = drive !== undefined && drive.trial === trial?.name ? drive : undefined;
  const isTaken = mine?.state === 'waiting' || mine?.state === 'proposed';
  return (
    <div class="drive">
      <PageHead
        title={`Drive ${called}`}
        about={
          <p class="muted">
            <State state={trial?.state ?? study.state} /> {trial?.stateReason}
          </p>
        }
      >
        <div class="buttons">
          {trials.length > 1 && (
            <label>
              Trial{' '}
              <select value={position} onChange={(event) => setQuery({ trial: event.currentTarget.value })}>
                {trials.map(({ position }) => (
                  <option key={position}>{position}</option>
                ))}
              </select>
            </label>
          )}
          <a class="button" href={studyPath(study.name)}>
            Its charts
          </a>
          {isTaken ? (
            <button type="button" onClick={leave}>
              Leave it
            </button>
          ) : (
            <button
              type="button"
              class="primary"
              onClick={() => void take()}
              disabled={trial?.endTime !== undefined}
            >
              Take over
            </button>
          )}
        </div>
      </PageHead>
      {fault && <FaultNote fault={fault} />}
      {mine?.state === 'failed' && (
        <div class="note bad" role="alert">
          <strong>{mine.message}</strong>
          <p>Somebody else may drive it now. Taking over again is always possible.</p>
        </div>
      )}
      {!isTaken && mine?.state !== 'failed' && trial?.endTime === undefined && (
        <Empty title="Nobody decides here.">
          <p>
            Taking over sends this trial's windows to this page. Whoever drove it before is told; without a
            decision in {duration(study.decisionTimeout)} the trial is paused.
          </p>
        </Empty>
      )}
      {trial?.endTime !== undefined && <Empty title="This trial has ended." />}
      {mine?.state === 'waiting' && (
        <p aria-live="polite">
          It trains: {count(Math.max(trial?.stepsDone ?? 0, model.progress.value.get(mine.trial) ?? 0))} of{' '}
          {count(study.steps)} steps. The next window comes by itself.
        </p>
      )}
      {mine?.state === 'proposed' && mine.proposal && (
        <Proposal
          key={mine.proposal.index}
          id={id}
          trial={mine.trial}
          proposal={mine.proposal}
          onFault={setFault}
        />
      )}
    </div>
  );
}

interface ProposalProps {
  readonly id: string;
  readonly trial: string;
  readonly proposal: ProposalRow;
  readonly onFault: (fault: Fault | undefined) => void;
}

const PROPOSED = [
  column('Hyperparameter'),
  numberColumn('Now'),
  numberColumn('Proposed'),
  column('Or set it to'),
];

function Proposal({ id, trial, proposal, onFault }: ProposalProps) {
  const now = useNow(1_000);
  const [values, setValues] = useState<Readonly<Record<string, string>>>({});
  const [rate, setRate] = useState('');
  const [stops, setStops] = useState(false);
  const [busy, setBusy] = useState(false);
  const { index, verdict, verdictReason, next, deadline, givesUp, spectrum } = proposal;
  const decide = async (action: string) => {
    setBusy(true);
    try {
      await post(`/api/studies/${id}/decision`, {
        ...{ trial, index, action },
        ...(action === 'set' && {
          values: Object.fromEntries(
            Object.entries(values).flatMap(([name, text]) =>
              text.trim() === '' ? [] : [[name, Number(text)]],
            ),
          ),
        }),
        ...(rate !== '' && action !== 'stop' && { outerRate: Number(rate) }),
      });
      onFault(undefined);
    } catch (error) {
      onFault(faultOf(error));
    } finally {
      setBusy(false);
      setStops(false);
    }
  };
  const moving = Object.entries(next).filter(([, value]) => numberOf(value) !== null);
  const given = Object.values(values).some((text) => text.trim() !== '');
  return (
    <Section
      title={`Outer step ${index} waits for you`}
      about={`After ${count(proposal.stepsDone)} inner steps.`}
    >
      <VerdictLine verdict={verdict} reason={verdictReason} isTold />
      <p>
        {proposal.reason} Validation loss {loss(proposal.averagedLoss)}.
        {givesUp && <b> Accepting this ends the trial: it diverges.</b>}
      </p>
      {deadline !== undefined && (
        <p class="muted" title={momentExactly(deadline)}>
          Paused in {duration(Math.max(0, deadline - now))} without a decision.
        </p>
      )}
      <div class="spectrum">
        <DataTable label="Proposed values" columns={PROPOSED}>
          {moving.map(([name, value]) => (
            <tr key={name}>
              <th scope="row">{words(name)}</th>
              <td class="number">{short(numberOf(proposal.values[name]))}</td>
              <td class="number">
                <b>{short(numberOf(value))}</b>
              </td>
              <td>
                {typeof value === 'number' && (
                  <input
                    aria-label={`Set ${words(name)} to`}
                    inputMode="decimal"
                    size={9}
                    value={values[name] ?? ''}
                    onInput={(event) => setValues({ ...values, [name]: event.currentTarget.value })}
                  />
                )}
              </td>
            </tr>
          ))}
        </DataTable>
        <UnitCircle spectrum={spectrum} label={`Outer step ${index}`} />
      </div>
      <div class="buttons">
        <button type="button" class="primary" disabled={busy} onClick={() => void decide('accept')}>
          Accept
        </button>
        <button type="button" disabled={busy || !given} onClick={() => void decide('set')}>
          Set these values
        </button>
        <button type="button" disabled={busy} onClick={() => void decide('hold')}>
          Hold
        </button>
        <label>
          Outer rate from now on{' '}
          <input
            inputMode="decimal"
            size={7}
            placeholder={short(proposal.rate)}
            value={rate}
            onInput={(event) => setRate(event.currentTarget.value)}
          />
        </label>
        <button type="button" class="danger" disabled={busy} onClick={() => setStops(true)}>
          Stop the trial …
        </button>
      </div>
      {stops && (
        <Confirm
          question="Stop this trial?"
          consequence="It ends as succeeded, with the weights that it has now. It cannot be taken up again."
          yes="Stop the trial"
          danger
          onYes={() => void decide('stop')}
          onNo={() => setStops(false)}
        />
      )}
    </Section>
  );
}
