/** Kinds of values that a setting may have: checked alike wherever they come from, flag, variable or file. */

import { z } from 'zod';

export interface Kind<T> {
  /** Stands for a value in `--help`. */
  readonly placeholder: string;
  /** Its messages go on after "It ". */
  readonly schema: z.ZodType<T>;
  /** What the text of a flag or a variable means; `schema` checks it. */
  readonly fromText: (text: string) => unknown;
  /** All values that there are, where they are few. */
  readonly choices?: readonly string[];
  /** What the flag means without a value; those of other kinds need one. */
  readonly preset?: string;
}

const asItIs = (text: string): string => text;

/** Some text: a path, an address, a name. */
export const text = (placeholder: string): Kind<string> => ({
  placeholder,
  schema: z.string('must be text').min(1, 'must not be empty'),
  fromText: asItIs,
});

/** One of several names. */
export const choice = <const T extends readonly [string, ...string[]]>(choices: T): Kind<T[number]> => ({
  placeholder: 'name',
  schema: z.enum(choices, `must be one of ${choices.join(', ')}`),
  fromText: asItIs,
  choices,
});

/** The largest number that the contract's limits can tell. */
const MAX_INT32 = 2 ** 31 - 1;

/** A whole number. */
export function whole(least = 1, most = MAX_INT32): Kind<number> {
  const message = `must be a whole number from ${least} to ${most}`;
  return {
    placeholder: 'n',
    schema: z.int(message).min(least, message).max(most, message),
    fromText: toNumber,
  };
}

/** The most that there may be: of seconds what a timer takes, which would not wait at all for more. */
const LONGEST = { seconds: 2_147_483, days: 36_500 };

/** A time in seconds or days, also parts of one. */
export function time(placeholder: 'seconds' | 'days'): Kind<number> {
  const message = `must be a number above 0, at most ${LONGEST[placeholder]}`;
  return {
    placeholder,
    schema: z.number(message).positive(message).max(LONGEST[placeholder], message),
    fromText: toNumber,
  };
}

/** A number of bytes, or text like `512MiB`. */
export function bytes(least: number, most = Number.MAX_SAFE_INTEGER): Kind<number> {
  const message = `must be a number of bytes from ${least} to ${most}, or one of KiB, MiB or GiB like 512MiB`;
  const number = z.int(message).min(least, message).max(most, message);
  return { placeholder: 'bytes', schema: z.preprocess(toBytes, number), fromText: asItIs };
}

/** A variable or a key that is there does not yet say yes. */
export const yesOrNo = (): Kind<boolean> => ({
  placeholder: 'yes|no',
  schema: z.boolean('must be yes or no; in a file true or false'),
  fromText: (said) => {
    if (/^(yes|true|1)$/i.test(said)) return true;
    if (/^(no|false|0|)$/i.test(said)) return false;
    return said;
  },
  preset: 'yes',
});

const toNumber = (said: string): unknown => (said.trim() === '' ? said : Number(said));

const UNITS = { '': 1, kib: 1024, mib: 1024 ** 2, gib: 1024 ** 3 } as const;

function toBytes(said: unknown): unknown {
  if (typeof said !== 'string') return said;
  const [, number, unit = ''] = said.match(/^\s*(\d+)\s*([a-z]*)\s*$/i) ?? [];
  const size = Object.entries(UNITS).find(([name]) => name === unit.toLowerCase())?.[1];
  return number === undefined || size === undefined ? said : Number(number) * size;
}
