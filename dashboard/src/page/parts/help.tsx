/** What the keyboard does. */

import { useEffect, useRef } from 'preact/hooks';

const KEYS = [
  ['/', 'search studies'],
  ['↑ ↓', 'in the list: the study above or below; Enter opens it, Space marks it for a comparison'],
  [
    '← →',
    'in charts, the verdict strip and heat maps: the outer step before or after; Page Up and Page Down ten of them',
  ],
  ['Enter', 'in a chart: look at that outer step'],
  ['Tab', 'the next thing on the page'],
  ['Esc', 'closes a question'],
  ['?', 'this help'],
] as const;

export function Help({ onClose }: { readonly onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  return (
    <dialog ref={dialog} onClose={onClose} aria-labelledby="help">
      <h2 id="help">Keyboard</h2>
      <dl class="keys">
        {KEYS.map(([key, text]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
      <form method="dialog">
        <button type="submit">Close</button>
      </form>
    </dialog>
  );
}
