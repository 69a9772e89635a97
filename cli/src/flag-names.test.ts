import { GlocalError, InvalidArgumentError } from '@glocal/sdk';
import { expect, it } from 'vitest';
import { withFlagNames } from './flag-names.ts';

const violationsOf = (...fieldViolations: { field: string; description: string }[]) =>
  withFlagNames(new InvalidArgumentError('', { fieldViolations }));

it.each([
  ['dmd.svdRank', '--svd-rank'],
  ['address', '--address'],
  ['tls.cert', '--tls-ca, --tls-cert, --tls-key'],
  ['trials[0].outerStep', '--trial'],
  ['method.dmd.svdRank', 'method.dmd.svdRank'],
  ['space.lr.init', 'space.lr.init'],
  ['', ''],
])('the field %j is called %s', (field, flag) => {
  expect(violationsOf({ field, description: 'is wrong' }).fieldViolations).toEqual([
    { field: flag, description: 'is wrong' },
  ]);
});

it('messages say what to do on a command line', () => {
  const message = 'far:1 is not on this machine: give tls, or insecure: true to send everything in the clear';
  const { code, reason } = withFlagNames(
    new GlocalError('FAILED_PRECONDITION', message, { reason: 'INSECURE' }),
  );
  expect({ code, reason }).toEqual({ code: 'FAILED_PRECONDITION', reason: 'INSECURE' });
  expect(withFlagNames(new GlocalError('FAILED_PRECONDITION', message)).message).toBe(
    'far:1 is not on this machine: give --tls, or --insecure to send everything in the clear',
  );
  expect(violationsOf({ field: 'lr', description: 'is none; `parameters` says which' }).message).toBe(
    'lr: is none; --parameters says which',
  );
});
