/** The configuration is wrong; the message names the key. Exit code 64 (EX_USAGE). */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly exitCode: number;

  constructor(message: string, exitCode = 64) {
    super(message);
    this.exitCode = exitCode;
  }
}
