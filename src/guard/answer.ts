/** What a guard answers: the real target, or why it refuses. */

/** `target` is the resource as it really is; it replaces what the caller wrote. */
export type GuardAnswer =
  | { readonly ok: true; readonly target: string }
  | { readonly ok: false; readonly code: GuardCode; readonly reason: string };

export type GuardCode = 'path-outside' | 'path-dangling' | 'path-malformed' | 'path-protected' | 'path-unresolvable';
