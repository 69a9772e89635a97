import { describe, expect, it } from 'vitest';
import { BusyError } from '../resource/errors.ts';
import { ArtifactRoom } from './room.ts';

const room = (stored = 0n) =>
  new ArtifactRoom({ maxArtifactBytes: 100n, maxOwnerArtifactBytes: 150n }, async () => stored);

describe('the room for artifacts', () => {
  it('holds the bytes of one, all of its files together', async () => {
    using place = room().enter('ann');
    await place.take(60n);
    await expect(place.take(50n)).rejects.toMatchObject({ name: 'BusyError', reason: 'ARTIFACT_BYTES' });
  });

  it('holds the bytes of an owner, with what is stored and what arrives at the same time', async () => {
    const shared = room(70n);
    using first = shared.enter('ann');
    await first.take(50n);
    using second = shared.enter('ann');
    await expect(second.take(40n)).rejects.toMatchObject({ reason: 'OWNER_ARTIFACT_BYTES' });
    using other = shared.enter('bob');
    await other.take(40n);
  });

  it('holds no file that is larger than where it would be kept takes', async () => {
    const limits = { maxArtifactBytes: 100n, maxOwnerArtifactBytes: 150n, maxFileBytes: 40 };
    using place = new ArtifactRoom(limits, async () => 0n).enter('ann');
    await place.take(40n);
    await expect(place.take(41n)).rejects.toMatchObject({
      reason: 'FILE_BYTES',
      message: expect.stringContaining('--objects s3://'),
    });
  });

  it('is free again when an upload has ended', async () => {
    const shared = room();
    {
      using place = shared.enter('ann');
      await place.take(100n);
    }
    using place = shared.enter('ann');
    await place.take(100n);
  });

  it('lets so many uploads in at a time, and the next a little later', () => {
    const shared = room();
    const places = Array.from({ length: 4 }, () => shared.enter('ann'));
    expect(() => shared.enter('ann')).toThrow(expect.objectContaining({ reason: 'OWNER_UPLOADS' }));
    for (let i = 0; i < 4; i++) shared.enter('bob');
    expect(() => shared.enter('eve')).toThrow(BusyError);
    places[0]?.[Symbol.dispose]();
    shared.enter('eve');
  });
});
