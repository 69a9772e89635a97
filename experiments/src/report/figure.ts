/** A picture of an experiment. */
export interface Figure {
  /** Name of its files: lower-case letters, digits and `-`. */
  readonly id: string;
  readonly svg: string;
}
