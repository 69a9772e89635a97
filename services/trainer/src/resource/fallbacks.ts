/** What the reason of a state says of windows that had to do without the DMD service. */

/** The end of a sentence; empty when there were none. */
export const fallbackNote = (fallbacks: number, windows: number): string =>
  fallbacks === 0
    ? ''
    : `; ${fallbacks} of ${windows} windows used the local hypergradient because the DMD service gave no report`;
