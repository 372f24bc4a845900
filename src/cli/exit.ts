/** Exit codes of every command, and the error that carries one. */

export const EXIT = {
  ok: 0,
  wrong: 1,
  usage: 2,
  deny: 3,
  ask: 4,
  runFailed: 5,
  suspended: 6,
  ledger: 7,
  bug: 70,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export type CliErrorCode = 'usage' | 'unreadable' | 'not-available-yet';

/** The command cannot do what it was asked. The message is one line; `hint` says what to do instead. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly code: CliErrorCode;
  readonly hint: string | undefined;
  constructor(code: CliErrorCode, message: string, options?: ErrorOptions & { hint?: string }) {
    super(message, options);
    this.code = code;
    this.hint = options?.hint;
  }
}
