/** What can go wrong during set-up, with the words that the user reads. */

/** A step failed. The message says what was wrong and what to do; `output` is what the tool printed. */
export class SetupError extends Error {
  /**
   * @param {string} message
   * @param {string} [output]
   */
  constructor(message, output = '') {
    super(message);
    this.name = 'SetupError';
    this.output = output;
  }
}

/**
 * The error as the user should see it: our own errors without a stack, preceded by the tool's output.
 *
 * @param {unknown} error
 * @returns {string}
 */
export function describe(error) {
  if (!(error instanceof SetupError))
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  const output = error.output.trimEnd();
  return output === '' ? error.message : `${output}\n\n${error.message}`;
}
