/** What a misspelt name was probably meant to be. */

import { Command, CommanderError } from 'commander';

/** In words that end a message about a name that nobody knows: with what commander would suggest, were they flags. */
export function didYouMean(name: string, known: readonly string[], otherwise: string): string {
  const similar = mostSimilar(name, known);
  return similar.length > 0 ? `did you mean ${similar.join(' or ')}?` : otherwise;
}

function mostSimilar(name: string, known: readonly string[]): string[] {
  const asFlag = (each: string) => `--${each.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}`;
  const command = new Command().exitOverride().configureOutput({ writeErr: () => {} });
  for (const each of known) command.option(asFlag(each));
  try {
    command.parse([asFlag(name)], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    const suggested = error.message.split('\n').slice(1).join(' ');
    return known.filter((each) => suggested.split(/[ ,?)]+/).includes(asFlag(each)));
  }
  return [];
}
