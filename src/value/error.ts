/** What the ground floor throws when it is handed a value it cannot represent. */

/**
 * `lone-surrogate` a string is not well-formed Unicode; `non-finite` a number is NaN or infinite;
 * `not-json` something that JSON has no form for; `too-deep` nesting beyond `DEPTH_CEILING` (or a cycle);
 * `out-of-range` a number, length or limit outside what the function takes.
 */
export type ValueErrorCode = 'lone-surrogate' | 'non-finite' | 'not-json' | 'too-deep' | 'out-of-range';

/** A value could not be represented; `code` says which way. */
export class ValueError extends Error {
  override readonly name = 'ValueError';
  readonly code: ValueErrorCode;
  constructor(code: ValueErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
