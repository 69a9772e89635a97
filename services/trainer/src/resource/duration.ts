/** Spans of time as messages have them. */

/** `google.protobuf.Duration`. */
export interface Duration {
  readonly seconds: bigint;
  readonly nanos: number;
}

export const milliseconds = ({ seconds, nanos }: Duration): number => Number(seconds) * 1_000 + nanos / 1e6;

/** @param ms milliseconds; below 0 they are 0. */
export function duration(ms: number): Duration {
  const nanos = BigInt(Math.max(0, Math.round(ms * 1e6)));
  return { seconds: nanos / 1_000_000_000n, nanos: Number(nanos % 1_000_000_000n) };
}
