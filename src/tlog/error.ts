/** What the arithmetic of the log throws when it is asked for something that does not exist. */

/**
 * `out-of-range` an index or size that the tree does not have; `malformed-text` a note or checkpoint that could
 * not be read back; `malformed-key` a key name or public key that no verifier key can hold.
 */
export type TlogErrorCode = 'malformed-key' | 'malformed-text' | 'out-of-range';

/** A tree, note or checkpoint could not be made as asked; `code` says which way. */
export class TlogError extends Error {
  override readonly name = 'TlogError';
  readonly code: TlogErrorCode;
  constructor(code: TlogErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
