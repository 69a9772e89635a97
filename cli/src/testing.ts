/** For tests of command lines. */

import { afterEach, beforeEach, expect, vi } from 'vitest';
import { UsageError } from './command-line.ts';

/** What tests see of a command line. */
export interface CommandLine {
  /** What it has printed in this test. */
  readonly printed: string;
  /** What it throws for arguments that must be refused, or that ask for help. */
  refusal(...args: string[]): UsageError;
}

/** Keeps what is printed from the terminal, in every test of the file that calls it. */
export function commandLine(readOptions: (args: readonly string[]) => unknown): CommandLine {
  let printed = '';
  beforeEach(() => {
    printed = '';
    for (const stream of [process.stdout, process.stderr]) {
      vi.spyOn(stream, 'write').mockImplementation((text) => {
        printed += text;
        return true;
      });
    }
  });
  afterEach(() => vi.restoreAllMocks());
  return {
    get printed() {
      return printed;
    },
    refusal(...args) {
      try {
        readOptions(args);
      } catch (error) {
        if (error instanceof UsageError) return error;
        throw error;
      }
      return expect.unreachable('it was accepted');
    },
  };
}
