import { describe, expect, it } from 'vitest';
import { describeLocation, parseLocation, within } from './location.ts';

describe('a location of objects', () => {
  it('is a part of a bucket', () => {
    const bucket = { kind: 's3', bucket: 'my-bucket', endpoint: undefined, region: undefined };
    expect(parseLocation('s3://my-bucket')).toEqual({ ...bucket, prefix: '' });
    expect(parseLocation('s3://my-bucket/')).toEqual({ ...bucket, prefix: '' });
    expect(parseLocation('s3://my-bucket/team/glocal/')).toEqual({ ...bucket, prefix: 'team/glocal/' });
    expect(parseLocation('S3://my-bucket/a', { endpoint: 'http://h:1', region: 'eu' })).toEqual({
      ...{ ...bucket, prefix: 'a/' },
      ...{ endpoint: 'http://h:1', region: 'eu' },
    });
  });

  it('is a folder', () => {
    expect(parseLocation('/mnt/glocal')).toEqual({ kind: 'folder', path: '/mnt/glocal' });
    expect(parseLocation('C:\\glocal')).toEqual({ kind: 'folder', path: 'C:\\glocal' });
  });

  it.each([
    ['s3:bucket', 'is neither s3://BUCKET/PREFIX nor the path of a folder'],
    ['gs://bucket', 'is neither s3://BUCKET/PREFIX nor the path of a folder'],
    ['s3://', '"" of "s3://" is not the name of a bucket'],
    ['s3://Bucket', '"Bucket" of "s3://Bucket" is not the name of a bucket'],
    ['s3://bucket/a//b', '"" of "s3://bucket/a//b" cannot be part of a prefix'],
    ['s3://bucket/../b', '".." of "s3://bucket/../b" cannot be part of a prefix'],
    ['s3://bucket/a b', '"a b" of "s3://bucket/a b" cannot be part of a prefix'],
  ])('that cannot be is refused: %s', (text, message) => {
    expect(() => parseLocation(text)).toThrow(message);
  });

  it('has parts for each kind of object', () => {
    const s3 = within(parseLocation('s3://bucket/a', { endpoint: 'http://h:1' }), 'checkpoints');
    expect(s3).toMatchObject({ bucket: 'bucket', prefix: 'a/checkpoints/' });
    expect(describeLocation(s3)).toBe('s3://bucket/a/checkpoints/ at http://h:1');
    expect(describeLocation(within(parseLocation('/mnt'), 'artifacts'))).toMatch(/mnt.artifacts$/);
  });
});
