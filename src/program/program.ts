/** A program that is ready to run: steps by id, each of one kind. Language: docs/programs.md. */

import type { Expression } from '../expression/compile.ts';
import type { ObjectType } from '../expression/type.ts';
import type { Digest } from '../value/digest.ts';
import type { JsonObject, JsonValue } from '../value/json.ts';
import type { Property } from './property.ts';
import type { Filled, Template } from './template.ts';

/** All times in milliseconds. */
export interface Program {
  readonly name: string;
  readonly version: number;
  /** Of the document as it is written, whatever it is written in, and of the digests of the programs that it calls. */
  readonly digest: Digest;
  /** What the digest is of. */
  readonly content: JsonObject;
  readonly input: JsonObject;
  /** The schemas of the events that it waits for. */
  readonly events: ReadonlyMap<string, JsonObject>;
  readonly limits: RunLimits;
  readonly start: string;
  /** In the order of the document. */
  readonly steps: ReadonlyMap<string, Step>;
  /** In the order of the document. */
  readonly properties: readonly Property[];
  readonly types: ProgramTypes;
}

/** What expressions see, and as what. */
export interface ProgramTypes {
  readonly input: ObjectType;
  /** By step, what it leaves under `output`. */
  readonly steps: ObjectType;
}

/** What one run may take. Every attempt counts, those of branches and rejected model outputs included. */
export interface RunLimits {
  /** Steps and branches entered. */
  readonly steps: number;
  /** How often running a step may come back to the state that it had at its last visit, one time after the other. */
  readonly stalled: number;
  /** Of models, in and out. */
  readonly tokens: number;
  /** Millionths of a US dollar. */
  readonly microUsd: number;
  /** Active time: waiting for people, events and timers does not count. */
  readonly timeMs: number;
}

export const DEFAULT_LIMITS: RunLimits = {
  steps: 1_000,
  stalled: 3,
  tokens: 100_000,
  microUsd: 1_000_000,
  timeMs: 600_000,
};

export type Step = ActionStep | ChooseStep | ParallelStep | AskStep | WaitStep | EndStep;

/** What does something in the world, or asks a model, or runs another program. */
export type ActionStep = ToolStep | ModelStep | ChildStep;

interface Common {
  readonly id: string;
  /** The place of the step among all, from 0. */
  readonly index: number;
  /** The steps whose outputs its expressions read. */
  readonly reads: readonly string[];
}

/** Where a run goes on after a step: `next`, and `onError` after a failure; without it the run ends `failed`. */
interface Onward {
  readonly next: string;
  readonly onError?: string;
}

/** What a tool does to the world, as the policy says. */
export type ToolEffect = 'read' | 'write' | 'irreversible';

export interface ToolAction {
  readonly kind: 'tool';
  readonly tool: string;
  readonly effect: ToolEffect;
  readonly args: Template;
  /** How often it is attempted at most, where that is safe. */
  readonly attempts: number;
  readonly timeoutMs: number;
  /** What makes it undone, when the run ends in failure after it. */
  readonly undo?: { readonly tool: string; readonly effect: ToolEffect; readonly args: Template };
}

export interface ModelAction {
  readonly kind: 'llm';
  /** Names of models, each asked when the one before could not answer. */
  readonly models: readonly [string, ...string[]];
  readonly prompt: Template;
  /** A gate: the answer is one of these words. */
  readonly outputs?: readonly string[];
  /** The answer is JSON of this schema. */
  readonly schema?: JsonObject;
  /** What an answer says, or why it is none of those that are asked for. Pure. */
  readonly read: (answer: JsonValue) => Filled<JsonValue>;
  /** How often an answer that is none of these is asked for again, and the step that then comes; none: a failure. */
  readonly mismatch: { readonly retry: number; readonly otherwise?: string };
  readonly attempts: number;
  readonly timeoutMs: number;
}

export interface ChildAction {
  readonly kind: 'call';
  readonly program: string;
  /** What it was when this program was made: that, and no other, is what runs. */
  readonly child: Program;
  readonly input: Template;
}

export type Action = ToolAction | ModelAction | ChildAction;

export type ToolStep = Common & Onward & ToolAction;
export type ModelStep = Common & Onward & ModelAction;
export type ChildStep = Common & Onward & ChildAction;

export interface ChooseStep extends Common {
  readonly kind: 'choose';
  /** Where a condition that errors leads; without it the run ends `failed`. */
  readonly onError?: string;
  /** The first whose condition is true is taken; only the last may have none. */
  readonly branches: readonly { readonly when?: Expression; readonly next: string }[];
}

export interface ParallelStep extends Common, Onward {
  readonly kind: 'parallel';
  /** By their names, in the order in which they begin. */
  readonly branches: ReadonlyMap<string, Action>;
  /** How many run at once. */
  readonly max: number;
}

export interface AskStep extends Common {
  readonly kind: 'ask';
  /** The role that may answer. */
  readonly approvers: string;
  readonly show: Template;
  readonly timeoutMs: number;
  readonly yes: string;
  readonly no: string;
  readonly expired: string;
}

export interface WaitStep extends Common {
  readonly kind: 'wait';
  readonly event: string;
  readonly timeoutMs: number;
  readonly next: string;
  readonly expired: string;
}

export interface EndStep extends Common {
  readonly kind: 'end';
  /** `success`, or the name of another outcome. */
  readonly status: string;
  readonly output?: Template;
  readonly because?: Template;
}
