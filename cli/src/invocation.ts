/** How this program is called here, for messages that name a command of it. */

/**
 * By what npm tells the programs that it starts: in a project `glocal` is not on PATH, and in a clone there is a script.
 * @internal
 */
export function calledAs({ npm_lifecycle_event: event }: NodeJS.ProcessEnv): string {
  if (event === 'npx') return 'npx glocal';
  return event === 'glocal' ? 'npm run glocal --' : 'glocal';
}

/** Its name in messages, before the words of a command. */
export const GLOCAL = calledAs(process.env);

/** A command line of this program, as a shell takes it. @param words of which names of files may have blanks, or letters that mean something */
export const commandOf = (...words: readonly string[]): string => [GLOCAL, ...words.map(shellWord)].join(' ');

/** A word of a command line, in quotes where a shell would take it for something else. */
export const shellWord = (word: string): string =>
  /^[\p{L}\p{N}@%+=:,./_-]+$/u.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
