/** Why a call is not admitted. None of them says what there is on the server, or repeats a secret. */

/** For programs. */
export type AuthenticationReason =
  | 'NO_TOKEN'
  | 'UNKNOWN_TOKEN'
  | 'EXPIRED_TOKEN'
  | 'INVALID_TOKEN'
  | 'NO_OWNER'
  | 'NO_ROLE';

/** Who calls is not known. */
export class AuthenticationError extends Error {
  override readonly name = 'AuthenticationError';
  readonly reason: AuthenticationReason;

  /** @param message says what to do. */
  constructor(reason: AuthenticationReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/** Who calls cannot be found out for now. */
export class KeysUnavailableError extends Error {
  override readonly name = 'KeysUnavailableError';
}
