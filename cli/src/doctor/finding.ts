/** What `doctor` finds. */

/** `fault`: it does not work; `warning`: it works, but not as well as it could; `unknown`: something else has to be repaired first. */
export type Severity = 'good' | 'warning' | 'fault' | 'unknown';

export interface Finding {
  /** What was looked at. */
  readonly check: string;
  readonly severity: Severity;
  /** What was found, in one line. */
  readonly detail: string;
  /** What repairs it, most often a command. */
  readonly repair?: string;
}

export const good = (check: string, detail: string): Finding => finding(check, 'good', detail);

export const warning = (check: string, detail: string, repair?: string): Finding => ({
  ...finding(check, 'warning', detail),
  ...(repair !== undefined && { repair }),
});

export const fault = (check: string, detail: string, repair: string): Finding => ({
  ...finding(check, 'fault', detail),
  repair,
});

export const unknown = (check: string, detail: string): Finding => finding(check, 'unknown', detail);

/** What others say may have several lines, and what gRPC says ends with an empty note. */
function finding(check: string, severity: Severity, detail: string): Finding {
  const line = detail.replaceAll(/\s+/g, ' ').replace(/[\s.:]*Resolution note:\s*$/, '');
  return { check, severity, detail: line.trim() };
}
