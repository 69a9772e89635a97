/** Defaults as the contract's comments state them: "Default VALUE; with CASE: VALUE.", where a later case counts more. */

import type { DescField, DescMessage } from '@bufbuild/protobuf';
import { fieldComments, messageNamed } from './descriptors.ts';

/** What a comment says of a default: "VALUE; CASE: VALUE". Undefined where it says nothing. */
function statementOf(comment: string): string | undefined {
  return comment.match(/\bDefault (.+?)\.(?= |$)/)?.[1];
}

/** Messages of a specification whose fields have defaults. */
export const MESSAGES = [
  'FloatParameter',
  'NetworkParameter',
  'IntParameter',
  'Sampling',
  'Problem',
  'Augmentation',
  'Training',
  'Method',
  'OuterOptimizer',
  'DmdOptions',
].map(messageNamed);

export interface Stated {
  readonly message: DescMessage;
  readonly field: DescField;
  readonly statement: string;
}

/** Those of one message. */
export function statedIn(message: DescMessage): Stated[] {
  const comments = fieldComments(message);
  return message.fields.flatMap((field) => {
    const statement = statementOf(comments.get(field.name) ?? '');
    return statement === undefined ? [] : [{ message, field, statement }];
  });
}

/** All of them. */
export const stated: readonly Stated[] = MESSAGES.flatMap(statedIn);

export const statementFor = (message: DescMessage, field: DescField): string | undefined =>
  stated.find((entry) => entry.message === message && entry.field === field)?.statement;

/** The value that a statement gives in the cases that hold, as text. */
export function valueIn(statement: string, holds: (condition: string) => boolean): string {
  const [always = '', ...cases] = statement.split('; ');
  return cases.reduce((value, part) => {
    const [, condition, other] = part.match(/^(.+?): (.+)$/) ?? [];
    if (condition === undefined || other === undefined)
      throw new Error(`"${part}" is not of the form "CASE: VALUE"`);
    return holds(condition) ? other : value;
  }, always);
}
