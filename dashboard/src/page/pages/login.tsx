/** Asks for the token that says who one is. */

import { useState } from 'preact/hooks';
import type { Fault } from '../../api.ts';
import { FaultNote } from '../parts/common.tsx';
import { faultOf, post } from '../state/http.ts';

export function Login({ onDone }: { readonly onDone: () => void }) {
  const [token, setToken] = useState('');
  const [fault, setFault] = useState<Fault | undefined>(undefined);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    try {
      await post('/api/session', { token: token.trim() });
      onDone();
    } catch (error) {
      setFault(faultOf(error));
    }
  };
  return (
    <form class="card narrow" onSubmit={(event) => void submit(event)}>
      <h1>Who are you?</h1>
      <p>Give your token of the trainer. You see here what it may see, and do what it may do.</p>
      <label>
        Token
        <input
          type="password"
          autocomplete="current-password"
          required
          value={token}
          onInput={(event) => setToken(event.currentTarget.value)}
        />
      </label>
      {fault && (
        <FaultNote
          fault={
            fault.code === 'UNAUTHENTICATED' && fault.reason !== 'NO_TOKEN'
              ? {
                  ...fault,
                  message:
                    'The trainer does not take this token. `glocal token` makes one; its line belongs into the file of tokens.',
                }
              : fault
          }
        />
      )}
      <button type="submit" class="primary">
        Go in
      </button>
    </form>
  );
}
