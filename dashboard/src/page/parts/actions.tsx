/** What can be done with a study, with questions before what cannot be taken back. */

import { useState } from 'preact/hooks';
import type { Fault, StudyRow } from '../../api.ts';
import { ask, faultOf, post } from '../state/http.ts';
import { go, idOf } from '../state/router.ts';
import { Confirm, FaultNote } from './common.tsx';

const ENDED = ['COMPLETED', 'CANCELLED', 'FAILED'];

export function StudyActions({ study }: { readonly study: StudyRow }) {
  const [asking, setAsking] = useState<'cancel' | 'delete' | undefined>(undefined);
  const [fault, setFault] = useState<Fault | undefined>(undefined);
  const [busy, setBusy] = useState(false);
  const id = idOf(study.name);
  const ended = ENDED.includes(study.state);
  const does = async (action: () => Promise<unknown>) => {
    setAsking(undefined);
    setBusy(true);
    try {
      await action();
      setFault(undefined);
    } catch (error) {
      setFault(faultOf(error));
    } finally {
      setBusy(false);
    }
  };
  const act = (action: string) => does(() => post(`/api/studies/${id}/${action}`));
  const remove = () =>
    does(async () => {
      await ask(`/api/studies/${id}${ended ? '' : '?force=1'}`, { method: 'DELETE' });
      go('/');
    });
  const called = study.displayName || id;
  return (
    <>
      <div class="buttons">
        {study.state === 'ACTIVE' && (
          <button type="button" disabled={busy} onClick={() => void act('pause')}>
            Pause
          </button>
        )}
        {study.state === 'PAUSED' && (
          <button type="button" class="primary" disabled={busy} onClick={() => void act('resume')}>
            Resume
          </button>
        )}
        {!ended && study.mode === 'driven' && (
          <a class="button" href={`/studies/${id}/drive`}>
            Take over
          </a>
        )}
        <a class="button" href={`/create?from=${id}`}>
          Start one like it
        </a>
        {!ended && (
          <button type="button" disabled={busy} onClick={() => setAsking('cancel')}>
            Cancel …
          </button>
        )}
        <button type="button" class="danger" disabled={busy} onClick={() => setAsking('delete')}>
          Delete …
        </button>
      </div>
      {fault && <FaultNote fault={fault} />}
      {asking === 'cancel' && (
        <Confirm
          question={`Cancel ${called}?`}
          consequence="Its trials end now, and what they found so far is kept. It cannot be resumed; pausing it can."
          yes="Cancel the study"
          danger
          onYes={() => void act('cancel')}
          onNo={() => setAsking(undefined)}
        />
      )}
      {asking === 'delete' && (
        <Confirm
          question={`Delete ${called}?`}
          consequence={`${ended ? '' : 'It has not ended and is cancelled first. '}Its outer steps, events and checkpoints are gone for good.`}
          yes="Delete the study"
          danger
          onYes={() => void remove()}
          onNo={() => setAsking(undefined)}
        />
      )}
    </>
  );
}
