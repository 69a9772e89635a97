/** One line per step of the set-up: what it does and, at its end, how long it took. Printed to standard error. */

const stream = process.stderr;
const nameWidth = 13;
/** Where nobody watches the line change, how far a step is gets a line of its own, at most this often. */
const LINE_EVERY_MS = 30_000;

/**
 * What a step may tell while it is at work.
 *
 * @typedef {object} StepProgress
 * @property {(text: string) => void} note prints a line of its own
 * @property {(text: string) => void} at says how far it is, e.g. "12 of 300 crates"
 */

/**
 * Runs `action` and shows one line for it; in a terminal the line counts the seconds and says how far it is. Only for steps
 * that have something to do: a step that is up to date prints nothing.
 *
 * @template T
 * @param {string} name the step's name
 * @param {string} doing what it does, e.g. "installing the npm dependencies"
 * @param {(progress: StepProgress) => Promise<T>} action
 * @returns {Promise<T>}
 */
export async function showStep(name, doing, action) {
  const start = performance.now();
  const seconds = () => `${((performance.now() - start) / 1000).toFixed(1)} s`;
  const label = `${name.padEnd(nameWidth)}${doing} …`;
  const clear = stream.isTTY ? '\r\x1b[2K' : '';
  let lineIsOpen = true;
  let howFar = '';
  let lastLine = start;

  const note = (/** @type {string} */ text) => {
    stream.write(`${lineIsOpen ? clear || '\n' : clear}${' '.repeat(nameWidth)}${text}\n`);
    lineIsOpen = false;
  };
  const at = (/** @type {string} */ text) => {
    howFar = ` ${text},`;
    const now = performance.now();
    if (stream.isTTY || now - lastLine < LINE_EVERY_MS) return;
    lastLine = now;
    note(text);
  };
  const finish = (/** @type {string} */ outcome) => {
    clearInterval(timer);
    stream.write(`${clear || !lineIsOpen ? `${clear}${label}` : ''} ${outcome} ${seconds()}\n`);
  };

  stream.write(label);
  const timer = stream.isTTY
    ? setInterval(() => stream.write(`${clear}${label}${howFar} ${seconds()}`), 500)
    : undefined;
  try {
    const result = await action({ note, at });
    finish('done in');
    return result;
  } catch (error) {
    finish('failed after');
    throw error;
  }
}
