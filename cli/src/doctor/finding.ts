/** What `doctor` finds. */

/** `fault`: it does not work; `warning`: it works, but not as well as it could; `unknown`: something else has to be repaired first. */
export type Severity = 'good' | 'warning' | 'fault' | 'unknown';

export interface Finding {
  /** What was looked at. */
  readonly check: string;
  readonly severity: Severity;
  /** What was found, in one line. */
  readonly detail: string;
  /** A command that repairs it. */
  readonly repair?: string;
}

export const good = (check: string, detail: string): Finding => ({ check, severity: 'good', detail });

export const warning = (check: string, detail: string, repair?: string): Finding => ({
  ...{ check, severity: 'warning', detail },
  ...(repair !== undefined && { repair }),
});

export const fault = (check: string, detail: string, repair: string): Finding => ({
  ...{ check, severity: 'fault', detail, repair },
});

export const unknown = (check: string, detail: string): Finding => ({ check, severity: 'unknown', detail });
