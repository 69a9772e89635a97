/** google.protobuf.Duration as milliseconds. */

interface Duration {
  readonly seconds: bigint;
  readonly nanos: number;
}

/** Milliseconds of a duration; 0 when there is none. */
export function milliseconds(duration: Duration | undefined): number {
  return duration === undefined ? 0 : Number(duration.seconds) * 1_000 + duration.nanos / 1e6;
}

/** @param milliseconds finite; what is finer than a nanosecond is rounded */
export function duration(milliseconds: number): Duration {
  const seconds = Math.trunc(milliseconds / 1_000);
  return { seconds: BigInt(seconds), nanos: Math.round((milliseconds - seconds * 1_000) * 1e6) };
}
