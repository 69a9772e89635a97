/** A piece of a line, as it is drawn in a chart: beside its name. */

interface LineSignProps {
  /** A CSS variable. */
  readonly colour: string;
  readonly dash?: readonly number[] | undefined;
}

export const LineSign = ({ colour, dash }: LineSignProps) => (
  <svg width="18" height="8" aria-hidden="true">
    <line
      x1="0"
      x2="18"
      y1="4"
      y2="4"
      stroke={`var(${colour})`}
      stroke-width="2.5"
      stroke-dasharray={dash?.join(' ')}
    />
  </svg>
);
