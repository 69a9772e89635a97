import { InvalidArgumentError } from 'commander';
import { expect, it } from 'vitest';
import { shortName, studyName, toLabel, toNumber, toOuterStep, toTrial } from './names.ts';

it('studies have their names with or without studies/', () => {
  expect(studyName('01J9')).toBe('studies/01J9');
  expect(studyName('studies/01J9')).toBe('studies/01J9');
  expect(shortName('studies/01J9')).toBe('01J9');
});

it('trials have positions or names', () => {
  expect(toTrial('2')).toBe(2);
  expect(toTrial('studies/a/trials/b')).toBe('studies/a/trials/b');
});

it('labels are added to those before', () => {
  expect(toLabel('run=a=b', toLabel('team'))).toEqual({ team: '', run: 'a=b' });
  expect(() => toLabel('=x')).toThrow(InvalidArgumentError);
});

it('outer steps are counted from 1', () => {
  expect(toOuterStep('1')).toBe(1);
  for (const wrong of ['0', '1.5', 'first', ''])
    expect(() => toOuterStep(wrong)).toThrow(InvalidArgumentError);
});

it('numbers are finite', () => {
  expect(toNumber('-1.5e-3')).toBe(-0.0015);
  for (const wrong of ['abc', '', 'NaN', 'Infinity'])
    expect(() => toNumber(wrong)).toThrow(InvalidArgumentError);
});
