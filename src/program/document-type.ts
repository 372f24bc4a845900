/** The document of a program as a type: what may be written, of which kind each part is. Meaning: docs/programs.md. */

import type { JsonObject, JsonValue } from '../value/json.ts';

/** `Id` are the ids of its steps: wherever a step is named, it is one of them. */
export interface ProgramDocument<Id extends string = string> {
  readonly program: string;
  readonly version?: number;
  readonly input?: JsonObject;
  readonly events?: Readonly<Record<string, JsonObject>>;
  readonly limits?: LimitsDocument;
  /** Sentences that are proved of all runs. */
  readonly properties?: readonly string[];
  readonly start: Id;
  readonly steps: Readonly<Record<Id, StepDocument<Id>>>;
}

interface LimitsDocument {
  readonly steps?: number;
  readonly stalled?: number;
  readonly tokens?: number;
  readonly usd?: number;
  /** A duration: `10m`. */
  readonly time?: string;
}

/** What each kind of action takes, as a step and as a branch. Values may hold `${{ CEL }}`; times are durations: `20s`. */
interface Actions<Id extends string> {
  readonly tool: {
    readonly tool: string;
    readonly args?: JsonObject | string;
    readonly retry?: Retry;
    readonly timeout?: string;
    readonly undo?: { readonly tool: string; readonly args?: JsonObject | string };
  };
  readonly llm: {
    readonly llm: string;
    readonly prompt: string;
    readonly outputs?: readonly [string, ...string[]];
    readonly schema?: JsonObject;
    readonly mismatch?: { readonly retry?: number; readonly then?: Id | 'fail' };
    readonly fallback?: readonly string[];
    readonly retry?: Retry;
    readonly timeout?: string;
  };
  readonly call: { readonly call: string; readonly input?: JsonObject | string };
}

interface Retry {
  readonly attempts?: number;
}

interface Onward<Id extends string> {
  readonly next: Id;
  readonly on_error?: Id;
}

export type Kind = keyof Kinds<string>;

/** What each kind of step takes. */
interface Kinds<Id extends string> {
  readonly tool: Actions<Id>['tool'] & Onward<Id>;
  readonly llm: Actions<Id>['llm'] & Onward<Id>;
  readonly call: Actions<Id>['call'] & Onward<Id>;
  readonly choose: {
    readonly choose: readonly { readonly when?: string; readonly next: Id }[];
    readonly on_error?: Id;
  };
  readonly parallel: Onward<Id> & {
    /** A branch leads to no step. */
    readonly parallel: Readonly<Record<string, ActionDocument<never>>>;
    readonly max?: number;
  };
  readonly ask: {
    readonly ask: string;
    readonly show?: string;
    readonly timeout?: string;
    readonly yes: Id;
    readonly no: Id;
    readonly expired: Id;
  };
  readonly wait: { readonly wait: string; readonly timeout?: string; readonly next: Id; readonly expired: Id };
  readonly end: { readonly end: string; readonly output?: JsonValue; readonly because?: string };
}

/** One kind of several: the keys that name the others are not there. */
type OneOf<K> = { [Name in keyof K]: K[Name] & { readonly [Other in Exclude<keyof K, Name>]?: never } }[keyof K];

type ActionDocument<Id extends string> = OneOf<Actions<Id>>;
type StepDocument<Id extends string> = OneOf<Kinds<Id>>;
