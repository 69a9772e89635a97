/** What the SDK tells of that is no error: calls made again, connections made again, tokens renewed, certificates that cannot be. Never a secret. */

/** How much it matters. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** What a message is about: `method`, `address`, `code`, `reason`, `requestId`, `attempt`, `delay` in milliseconds, … */
export type LogFields = Readonly<Record<string, string | number | undefined>>;

/** Something that was told of. */
export interface LogEntry {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields;
}

/** A method for each level that is wanted, as `console` has them, or one function for all. */
export type Logger =
  | { readonly [Level in LogLevel]?: ((message: string, fields: LogFields) => void) | undefined }
  | ((entry: LogEntry) => void);

/** Tells; never throws. */
export type Log = (level: LogLevel, message: string, fields?: LogFields) => void;

/** A call that works does not fail because its log does. */
export function logTo(logger: Logger | undefined): Log {
  if (logger === undefined) return () => {};
  return (level, message, fields = {}) => {
    try {
      if (typeof logger === 'function') logger({ level, message, fields });
      else logger[level]?.(message, fields);
    } catch {}
  };
}
