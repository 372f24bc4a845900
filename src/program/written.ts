/** A program as it is written: every part with its place, nothing of it typed yet. */

import type { Located } from '../document/source.ts';
import type { Place } from '../value/issue.ts';
import type { JsonObject, JsonValue } from '../value/json.ts';
import type { RunLimits } from './program.ts';

export interface WrittenProgram {
  readonly name: string;
  readonly version: number;
  readonly input: JsonObject;
  readonly events: ReadonlyMap<string, JsonObject>;
  readonly limits: RunLimits;
  readonly start: Located;
  readonly steps: ReadonlyMap<string, WrittenStep>;
  readonly properties: readonly WrittenProperty[];
  /** The whole document, which the digest is of. */
  readonly data: JsonObject;
}

/** `name` is what breaks the property when it begins at the wrong time. */
export type WrittenProperty = { readonly sentence: Located; readonly name: Located } & (
  | { readonly kind: 'only-after'; readonly when?: Located; readonly after: Located }
  | { readonly kind: 'never'; readonly when?: Located }
  | { readonly kind: 'never-then'; readonly when?: Located; readonly first: Located }
  | { readonly kind: 'at-most'; readonly times: number }
);

/** A value with its expressions where they stand. */
export type WrittenTemplate =
  | { readonly kind: 'literal'; readonly value: JsonValue }
  | { readonly kind: 'text'; readonly parts: readonly (string | Located)[] }
  | { readonly kind: 'list'; readonly items: readonly WrittenTemplate[] }
  | { readonly kind: 'map'; readonly members: readonly (readonly [name: string, value: WrittenTemplate])[] };

interface Common {
  readonly id: string;
  readonly place: Place;
}

interface Onward {
  readonly next: Located;
  readonly onError?: Located;
}

export interface WrittenTool {
  readonly kind: 'tool';
  readonly tool: Located;
  readonly args: WrittenTemplate;
  readonly attempts: number;
  readonly timeoutMs: number;
  readonly undo?: { readonly tool: Located; readonly args: WrittenTemplate };
}

export interface WrittenModel {
  readonly kind: 'llm';
  readonly models: readonly [Located, ...Located[]];
  readonly prompt: WrittenTemplate;
  readonly outputs?: readonly string[];
  readonly schema?: JsonObject;
  readonly mismatch: { readonly retry: number; readonly otherwise?: Located };
  readonly attempts: number;
  readonly timeoutMs: number;
}

export interface WrittenChild {
  readonly kind: 'call';
  readonly program: Located;
  readonly input: WrittenTemplate;
}

export type WrittenAction = WrittenTool | WrittenModel | WrittenChild;

export interface WrittenChoose extends Common {
  readonly kind: 'choose';
  readonly branches: readonly { readonly place: Place; readonly when?: Located; readonly next: Located }[];
  readonly onError?: Located;
}

export interface WrittenParallel extends Common, Onward {
  readonly kind: 'parallel';
  readonly branches: ReadonlyMap<string, WrittenAction & { readonly place: Place }>;
  readonly max: number;
}

export interface WrittenAsk extends Common {
  readonly kind: 'ask';
  readonly approvers: string;
  readonly show: WrittenTemplate;
  readonly timeoutMs: number;
  readonly yes: Located;
  readonly no: Located;
  readonly expired: Located;
}

export interface WrittenWait extends Common {
  readonly kind: 'wait';
  readonly event: Located;
  readonly timeoutMs: number;
  readonly next: Located;
  readonly expired: Located;
}

export interface WrittenEnd extends Common {
  readonly kind: 'end';
  readonly status: string;
  readonly output?: WrittenTemplate;
  readonly because?: WrittenTemplate;
}

export type WrittenStep =
  | (Common & Onward & WrittenAction)
  | WrittenChoose
  | WrittenParallel
  | WrittenAsk
  | WrittenWait
  | WrittenEnd;
