/** Where a run stands: all that its next move depends on, and nothing else. */

import type { JsonObject, JsonValue } from '../value/json.ts';
import type { Command, CommandId } from './event.ts';
import type { Slots } from './slots.ts';

/** What a run has taken of its limits. */
export interface Spent {
  readonly steps: number;
  readonly attempts: number;
  readonly tokens: number;
  readonly microUsd: number;
  /** Milliseconds. */
  readonly activeMs: number;
}

/** Why a step failed. */
export interface Failure {
  readonly step: string;
  readonly code: FailureCode;
  /** One line. */
  readonly message: string;
}

export type FailureCode =
  | 'denied'
  | 'failed'
  | 'not-started'
  | 'mismatch'
  | 'expression'
  | 'child'
  | 'schema'
  | 'time'
  | 'cancelled';

/** A command that is not answered yet. */
export interface Pending {
  readonly command: Command;
  /** The branch of a parallel step. */
  readonly branch?: string;
  /** Model answers that did not fit so far. */
  readonly mismatches: number;
  /** Which of the models is asked. */
  readonly model: number;
  /** What it began waits for somebody outside. */
  readonly isHeld: boolean;
  /** Its call is unknown: nothing goes on until it is settled. */
  readonly isUnsettled: boolean;
}

/** An effect that can be undone, the last one first. */
export interface Undoable {
  readonly step: string;
  readonly visit: number;
  readonly branch?: string;
  readonly tool: string;
  /** Absent where they had no value when the step was done: it cannot be undone. */
  readonly args?: JsonObject;
  readonly before: Undoable | undefined;
}

/** How a step was last come to: whether its next visit finds anything new. */
export interface Visited {
  readonly times: number;
  /** What all steps had left then, and the era. */
  readonly outputs: Slots<JsonValue>;
  readonly era: number;
  /** Visits running that found what the one before had found. */
  readonly again: number;
}

/** A parallel step on its way. */
export interface Branching {
  /** Those that have not begun, in order. */
  readonly waiting: readonly string[];
  readonly outputs: Readonly<Record<string, JsonValue>>;
  readonly failure?: Failure;
}

/** How a run ends once what it did is undone. */
export interface Ending {
  /** `success`, `failed`, `budget-exceeded`, `stalled`, `cancelled`, or the name that an end step gives. */
  readonly status: string;
  readonly output?: JsonValue;
  readonly because?: string;
  readonly failure?: Failure;
}

export interface RunState {
  /** `running`; `suspended` when nothing but a person, an event or a settlement moves it; or how it ended. */
  readonly status: string;
  readonly step: string;
  readonly visit: number;
  readonly input: JsonObject;
  /** By number of the step, what it left when it was last done. */
  readonly outputs: Slots<JsonValue>;
  readonly visited: Slots<Visited>;
  readonly spent: Spent;
  /** How often a person or an event has moved the run: since then no cycle counts as without progress. */
  readonly era: number;
  readonly pending: ReadonlyMap<CommandId, Pending>;
  readonly branching?: Branching;
  /** What `onError` leads to may tell of it. */
  readonly failure?: Failure;
  readonly done: Undoable | undefined;
  /** Set from the moment that the end is decided: what remains is to await and to undo. */
  readonly ending?: Ending;
  /** What could not be undone: `STEP/VISIT`. */
  readonly notUndone: readonly string[];
}
