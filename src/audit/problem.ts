/** What a deep verification finds: the closed list of what can be wrong with a log whose hashes and signatures are right. */

import type { JsonObject, JsonValue } from '../value/json.ts';
import { canonicalText } from '../value/canonical.ts';

/**
 * `entry-illegal` an entry does not fit what came before it: a state, a key, a counter, an attempt or a deadline.
 * `decision-*` a call was decided otherwise than its policy decides it: effect, code or rules (`wrong`), what it was
 * decided on (`facts`), what it takes (`reservation`), what it asks for (`question`), the tool it is of (`tool`), what
 * stands beside the policy (`layers`), or the policy itself is not in the log (`unfounded`).
 * `denial-count` denials were counted, not recorded, without as many of their kind in the log before them.
 * `content-wrong` a recorded text is not what its digest says. `approval-*` and `policy-signer` a signature is not that
 * of its author, or nobody knew the author. `body-*` a sealed value is not what its entry commits to, or is gone without
 * having been erased. `run-*` a run of a program did not go as its program says: a move that does not follow (`move`,
 * `snapshot`), an event that its call does not bear out (`event`), a call that no step asked for (`call`), or a program
 * that is not in the log (`unfounded`). `table-*` a table is not the fold of the entries.
 */
export type DeepCode =
  | 'approval-signature'
  | 'approval-signer'
  | 'body-missing'
  | 'body-wrong'
  | 'content-wrong'
  | 'decision-facts'
  | 'decision-layers'
  | 'decision-question'
  | 'decision-reservation'
  | 'decision-tool'
  | 'decision-unfounded'
  | 'decision-wrong'
  | 'denial-count'
  | 'entry-illegal'
  | 'policy-signer'
  | 'run-call'
  | 'run-event'
  | 'run-move'
  | 'run-snapshot'
  | 'run-unfounded'
  | 'table-call'
  | 'table-counter'
  | 'table-head'
  | 'table-key'
  | 'table-kill'
  | 'table-lease'
  | 'table-trusted';

export interface DeepProblem {
  readonly code: DeepCode;
  readonly message: string;
  /** The position of the entry, from 0. */
  readonly entry?: number;
}

/** A decision or signature that was taken as recorded: something that it rests on is not in the log, or not any more. */
export interface Attested {
  readonly entry: number;
  readonly why: string;
}

const SHOWN_MAX = 160;

/** A value from a log that may be hostile, for a message of one line. */
export function told(value: JsonValue | undefined): string {
  if (value === undefined) return 'nothing';
  const text = typeof value === 'string' ? value : canonicalText(value);
  const head = text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text;
  return `\`${head.toWellFormed().replaceAll(/[\p{Cc}\p{Cf}`]/gu, '·')}\``;
}

/** Whether both are the same JSON; what is absent is only what is absent. */
export function isSame(one: JsonValue | undefined, other: JsonValue | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  if (typeof one !== 'object' || one === null) return one === other;
  return canonicalText(one) === canonicalText(other);
}

/** The first member of which the two differ. */
export function difference(expected: JsonObject, got: JsonObject): string | undefined {
  const names = new Set([...Object.keys(expected), ...Object.keys(got)]);
  return [...names].find((name) => !isSame(member(expected, name), member(got, name)));
}

export function member(object: JsonValue | undefined, name: string): JsonValue | undefined {
  if (typeof object !== 'object' || object === null || Array.isArray(object)) return undefined;
  return Object.hasOwn(object, name) ? (object as JsonObject)[name] : undefined;
}

/** A text as it is, and nothing for what is none. */
export function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}
