/** What moves a run, and what a run wants done. Both are JSON, as they stand in the ledger. */

import type { JsonObject, JsonValue } from '../value/json.ts';

/** Names what a command is about, once in a run: `STEP/VISIT`, `STEP/VISIT/BRANCH`, `undo/STEP/VISIT`, `…#N` to ask a model again. */
export type CommandId = string;

/** How a call ended, in the ledger's words. */
export type CallEnd = 'succeeded' | 'failed' | 'not-started' | 'denied' | 'unknown';

/** Times are active milliseconds that passed since the event before. */
export type RunEvent =
  | {
      readonly kind: 'call';
      readonly command: CommandId;
      readonly end: CallEnd;
      /** What the tool answered or the model said. */
      readonly output?: JsonValue;
      /** Why it ended so, in one line. */
      readonly message?: string;
      readonly tokens?: number;
      readonly microUsd?: number;
      /** Attempts that the authority made. */
      readonly attempts?: number;
      readonly activeMs?: number;
    }
  /** What the command began waits for a person, an event or a settlement: a call or a question for its approval, a program for what it waits for. */
  | { readonly kind: 'waits'; readonly command: CommandId }
  /** A call that was unknown was settled by somebody or something. */
  | {
      readonly kind: 'settled';
      readonly command: CommandId;
      readonly as: 'executed' | 'not-executed';
      readonly output?: JsonValue;
    }
  | { readonly kind: 'child'; readonly command: CommandId; readonly status: string; readonly output?: JsonValue }
  | { readonly kind: 'answer'; readonly command: CommandId; readonly answer: 'yes' | 'no' | 'expired' }
  | { readonly kind: 'event'; readonly command: CommandId; readonly payload: JsonValue }
  /** The time of a wait is over. */
  | { readonly kind: 'expired'; readonly command: CommandId }
  | { readonly kind: 'cancel' };

export type Command =
  | {
      readonly kind: 'call';
      readonly id: CommandId;
      readonly tool: string;
      readonly args: JsonObject;
      readonly attempts: number;
      readonly timeoutMs: number;
    }
  | {
      readonly kind: 'model';
      readonly id: CommandId;
      readonly model: string;
      readonly prompt: string;
      readonly outputs?: readonly string[];
      readonly schema?: JsonObject;
      readonly attempts: number;
      readonly timeoutMs: number;
    }
  | { readonly kind: 'child'; readonly id: CommandId; readonly program: string; readonly input: JsonObject }
  | {
      readonly kind: 'ask';
      readonly id: CommandId;
      readonly approvers: string;
      readonly show: string;
      readonly timeoutMs: number;
    }
  | { readonly kind: 'wait'; readonly id: CommandId; readonly event: string; readonly timeoutMs: number }
  /** Nobody waits any more for what the command began; what it comes to is still an event. */
  | { readonly kind: 'abandon'; readonly id: CommandId };
