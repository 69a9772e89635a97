import { describe, expect, it } from 'vitest';
import { FieldError } from './errors.ts';
import {
  outerStepName,
  parseOuterStepName,
  parseStudyName,
  parseTrialName,
  studyName,
  trialName,
} from './names.ts';
import { quote } from './quote.ts';

describe('resource names', () => {
  it('are read as they are written', () => {
    expect(parseStudyName(studyName('01ab-C_d'), 'name')).toBe('01ab-C_d');
    expect(parseTrialName(trialName('a', 63), 'name')).toEqual({ study: 'a', trial: 63 });
    expect(parseOuterStepName(outerStepName('a', 0, 12), 'name')).toEqual({
      study: 'a',
      trial: 0,
      index: 12,
    });
  });

  it.each([
    [
      parseStudyName,
      'studies/{study}',
      ['', 'a', 'studies/', 'studies/a/', 'studies/a b', 'studies/ä', 'x/studies/a'],
    ],
    [
      parseTrialName,
      'studies/{study}/trials/{trial}',
      ['studies/a', 'studies/a/trials/', 'studies/a/trials/-1', 'studies/a/trials/x'],
    ],
    [
      parseOuterStepName,
      'studies/{study}/trials/{trial}/outerSteps/{index}',
      ['studies/a/trials/0', 'studies/a/trials/0/outerSteps/', 'studies/a/trials/0/outerSteps/1\n'],
    ],
  ])('%o refuses what is not of its form, and names field and form', (parse, form, wrong) => {
    for (const name of wrong) {
      try {
        parse(name, 'parent');
      } catch (error) {
        expect(error).toBeInstanceOf(FieldError);
        expect((error as FieldError).violations).toEqual([
          { field: 'parent', description: `${quote(name)} is not of the form ${form}` },
        ]);
        continue;
      }
      expect.unreachable(`"${name}" was accepted`);
    }
  });
});
