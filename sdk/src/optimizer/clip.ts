/** Limits for gradients. */

/** Largest sizes; a gradient that is within them stays as it is. */
export interface ClipOptions {
  /** Largest absolute value of a component of the hypergradient. @default no limit */
  readonly clipValue?: number | undefined;
  /** Largest Euclidean norm of the hypergradient, after `clipValue`: it keeps its direction. @default no limit */
  readonly clipNorm?: number | undefined;
}

export function clip(gradient: readonly number[], { clipValue, clipNorm }: ClipOptions): readonly number[] {
  const limited =
    clipValue === undefined
      ? gradient
      : gradient.map((value) => Math.max(-clipValue, Math.min(clipValue, value)));
  const length = norm(limited);
  if (clipNorm === undefined || length <= clipNorm) return limited;
  return limited.map((value) => value * (clipNorm / length));
}

/** Euclidean. */
export const norm = (vector: Iterable<number>): number => {
  let squares = 0;
  for (const value of vector) squares += value ** 2;
  return Math.sqrt(squares);
};
