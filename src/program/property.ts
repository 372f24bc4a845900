/** What a program promises of every run: sentences about which steps and calls come in which order, and how often. */

import type { Expression } from '../expression/compile.ts';
import type { Place } from '../value/issue.ts';

/** What a property speaks of. */
export type PropertyName =
  | { readonly kind: 'step'; readonly id: string }
  /** `server.tool`; `llm.NAME` for a model. */
  | { readonly kind: 'tool'; readonly tool: string }
  /** A run that comes to an `end: success`. */
  | { readonly kind: 'success' };

interface Common {
  /** As it is written. */
  readonly sentence: string;
  readonly place: Place;
  /** What breaks the property when it begins at the wrong time. */
  readonly name: PropertyName;
}

interface Conditional {
  /** The property speaks only of beginnings at which this is true, or has no value. */
  readonly when?: Expression;
}

export interface OnlyAfter extends Common, Conditional {
  readonly kind: 'only-after';
  readonly after: PropertyName;
}

export interface Never extends Common, Conditional {
  readonly kind: 'never';
}

export interface NeverThen extends Common, Conditional {
  readonly kind: 'never-then';
  readonly first: PropertyName;
}

export interface AtMost extends Common {
  readonly kind: 'at-most';
  readonly times: number;
}

export type Property = OnlyAfter | Never | NeverThen | AtMost;
