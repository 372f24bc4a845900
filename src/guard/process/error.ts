/** What can go wrong with a child process before it runs. */

export type ProcessErrorCode = 'cannot-start';

/** A process could not be started; `code` says which way, `cause` what the system said. */
export class ProcessError extends Error {
  override readonly name = 'ProcessError';
  readonly code: ProcessErrorCode;
  constructor(code: ProcessErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
