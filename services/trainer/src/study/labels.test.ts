import { describe, expect, it } from 'vitest';
import { checkLabels, sortedLabels } from './labels.ts';

describe('labels', () => {
  it('may have letters, digits and four other characters', () => {
    expect(checkLabels({ 'team/a_b.c-d': 'X9', empty: '', ['k'.repeat(63)]: 'v'.repeat(63) })).toEqual([]);
  });

  it.each([
    [{ '': 'x' }, 'labels[""]', 'has an empty key'],
    [{ ['k'.repeat(64)]: '' }, `labels[${'k'.repeat(40)}…]`, 'its key has 64 characters; at most 63'],
    [{ key: 'v'.repeat(64) }, 'labels[key]', 'its value has 64 characters; at most 63'],
    [{ 'a b': '' }, 'labels[a b]', 'its key "a b" has other characters than ASCII letters'],
    [{ key: 'é' }, 'labels[key]', 'its value "é" has other characters than ASCII letters'],
  ])('are refused with the key named: %o', (labels, field, description) => {
    expect(checkLabels(labels)).toEqual([{ field, description: expect.stringContaining(description) }]);
  });

  it('are at most 64', () => {
    const many = Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`k${i}`, '']));
    expect(checkLabels(many, 'study.labels')).toEqual([
      { field: 'study.labels', description: 'has 65 labels; at most 64' },
    ]);
  });

  it('in the order of their keys are the same, however they came', () => {
    expect(Object.keys(sortedLabels({ b: '1', a: '2' }))).toEqual(['a', 'b']);
  });
});
