/** One line per step of the set-up: what it does and, at its end, how long it took. Printed to standard error. */

const stream = process.stderr;
const nameWidth = 13;

/**
 * Runs `action` and shows one line for it; in a terminal the line counts the seconds. Only for steps that have
 * something to do: a step that is up to date prints nothing.
 *
 * @template T
 * @param {string} name the step's name
 * @param {string} doing what it does, e.g. "installing the npm dependencies"
 * @param {(note: (text: string) => void) => Promise<T>} action `note` prints a line of its own
 * @returns {Promise<T>}
 */
export async function showStep(name, doing, action) {
  const start = performance.now();
  const seconds = () => `${((performance.now() - start) / 1000).toFixed(1)} s`;
  const label = `${name.padEnd(nameWidth)}${doing} …`;
  const clear = stream.isTTY ? '\r\x1b[2K' : '';
  let lineIsOpen = true;

  const note = (/** @type {string} */ text) => {
    stream.write(`${lineIsOpen ? clear || '\n' : clear}${' '.repeat(nameWidth)}${text}\n`);
    lineIsOpen = false;
  };
  const finish = (/** @type {string} */ outcome) => {
    clearInterval(timer);
    stream.write(`${clear || !lineIsOpen ? `${clear}${label}` : ''} ${outcome} ${seconds()}\n`);
  };

  stream.write(label);
  const timer = stream.isTTY
    ? setInterval(() => stream.write(`${clear}${label} ${seconds()}`), 500)
    : undefined;
  try {
    const result = await action(note);
    finish('done in');
    return result;
  } catch (error) {
    finish('failed after');
    throw error;
  }
}
