/** What the reason of a state says of outer steps that had to do without the DMD service. */

/** The end of a sentence; empty when there were none. */
export const fallbackNote = (fallbacks: number, outerSteps: number): string =>
  fallbacks === 0
    ? ''
    : `; ${fallbacks} of ${outerSteps} outer steps used the local hypergradient because the DMD service gave no report`;
