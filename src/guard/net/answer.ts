/** What the network guard answers: what may be dialled, or why it refuses. */

/**
 * `url-malformed` no URL, or one with blanks, control characters or backslashes; `url-scheme` neither http nor https;
 * `url-userinfo` it holds a name or password; `url-ambiguous` its host or port is read differently by different parsers;
 * `name-forbidden` a name that only means cloud metadata; `name-unresolvable` no such name, or nobody could tell;
 * `address-private` this machine or its networks, and this call site may not reach those; `address-forbidden` cloud
 * metadata, multicast, reserved: for nobody. `unreachable` no connection, or TLS that does not verify; `peer-differs` the
 * connection leads elsewhere; `timeout`; `redirected` the answer points elsewhere; `too-large`, `content-type` the answer
 * is not what was expected; `broken` the connection ended before the answer did.
 */
export type NetCode =
  | 'address-forbidden'
  | 'address-private'
  | 'broken'
  | 'content-type'
  | 'name-forbidden'
  | 'name-unresolvable'
  | 'peer-differs'
  | 'redirected'
  | 'timeout'
  | 'too-large'
  | 'unreachable'
  | 'url-ambiguous'
  | 'url-malformed'
  | 'url-scheme'
  | 'url-userinfo';

export interface NetRefusal {
  readonly ok: false;
  readonly code: NetCode;
  readonly reason: string;
}

export function refuse(code: NetCode, reason: string): NetRefusal {
  return { ok: false, code, reason };
}
