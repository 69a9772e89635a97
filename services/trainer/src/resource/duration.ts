/** Spans of time as messages have them. */

/** `google.protobuf.Duration`. */
export interface Duration {
  readonly seconds: bigint;
  readonly nanos: number;
}

export const milliseconds = ({ seconds, nanos }: Duration): number => Number(seconds) * 1_000 + nanos / 1e6;
