/** What is wrong with a call, told of the flags that it was made of: the SDK and the server know their own names only. */

import { GlocalError } from '@glocal/sdk';

/** Fields of calls that flags and arguments give; those of specifications are called as in their files. */
const FLAGS: Readonly<Record<string, string>> = {
  address: '--address',
  insecure: '--insecure',
  tls: '--tls-ca, --tls-cert, --tls-key',
  token: '--token-file',
  parameters: '--parameters',
  requestId: '--request-id',
  cursor: '--cursor',
  trial: '--trial',
  trials: '--trial',
  sigma: '--sigma',
  index: '<outer-step>',
};
const OPTION_OF_DMD = /^dmd\.(\w+)$/;

/** How messages put it for those who write programs, and what it is here. */
const WORDS: readonly (readonly [RegExp, string])[] = [
  [/give tls, or insecure: true to/, 'give --tls, or --insecure to'],
  [/contradicts tls;/, 'contradicts --tls;'],
  [/send the metadata `authorization: Bearer TOKEN`/, 'give --token-file FILE, with yours in it'],
  [/`parameters` says/, '--parameters says'],
  [/say force$/, 'say --force'],
];

/** The same error with the names of flags in place of those of fields. */
export const withFlagNames = (error: GlocalError): GlocalError => retold(error, flagOf, inWords);

/** The same error in other words. @param field how each field is called @param words how each text is put */
export function retold(
  error: GlocalError,
  field: (field: string) => string,
  words: (text: string) => string,
): GlocalError {
  const { code, reason, retryDelay, requestId, details, cause } = error;
  const fieldViolations = error.fieldViolations.map((violation) => ({
    field: field(violation.field),
    description: words(violation.description),
  }));
  const lines = fieldViolations.map((violation) =>
    violation.field === '' ? violation.description : `${violation.field}: ${violation.description}`,
  );
  const message = lines.length === 0 ? words(error.message) : lines.join('; ');
  return new GlocalError(code, message, {
    ...{ reason, fieldViolations, retryDelay, requestId, details, cause },
  });
}

function flagOf(field: string): string {
  const option = OPTION_OF_DMD.exec(field)?.[1];
  if (option !== undefined) return `--${option.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  const [name = ''] = field.split(/[.[]/);
  return Object.hasOwn(FLAGS, name) ? (FLAGS[name] as string) : field;
}

const inWords = (text: string): string =>
  WORDS.reduce((said, [pattern, words]) => said.replace(pattern, words), text);
