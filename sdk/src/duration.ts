/** google.protobuf.Duration as milliseconds. */

/** Milliseconds of a duration; 0 when there is none. */
export function milliseconds(duration: { seconds: bigint; nanos: number } | undefined): number {
  return duration === undefined ? 0 : Number(duration.seconds) * 1_000 + duration.nanos / 1e6;
}
