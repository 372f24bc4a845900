/** Interlock's tools for programs and their runs: denied unless a rule allows them, and for hosts only. */

import type { JsonObject } from '../../value/json.ts';
import type { ToolEffect } from '../decide/decision.ts';
import { ownDefinition } from './own-definition.ts';
import type { ToolDefinition } from './tool.ts';

export interface OwnProgramTool {
  readonly definition: ToolDefinition;
  readonly effect: ToolEffect;
}

/** A name that is written `saved/NAME` is of what the caller saved; any other of what the configuration names. */
export const SAVED_PREFIX = 'saved/';

/** UTF-16 code units of a program that a caller sends. */
const TEXT_MAX = 200_000;
const LISTED_MAX = 100;
const NAME_TEXT = '[a-z][a-z0-9_-]{0,63}';
const PROGRAM: JsonObject = {
  type: 'string',
  pattern: `^(${SAVED_PREFIX})?${NAME_TEXT}$`,
  description: 'NAME of a program that is configured, or saved/NAME of one that you saved',
};
const SAVED: JsonObject = { type: 'string', pattern: `^${SAVED_PREFIX}${NAME_TEXT}$`, description: 'saved/NAME' };
const TEXT: JsonObject = { type: 'string', maxLength: TEXT_MAX, description: 'the program, in YAML or JSON' };
const RUN: JsonObject = { type: 'string', maxLength: 64, description: 'the id of a run of yours' };

function tool(
  name: string,
  effect: ToolEffect,
  title: string,
  description: string,
  properties: JsonObject,
  required: readonly string[] = Object.keys(properties),
): OwnProgramTool {
  const inputSchema = { type: 'object', properties, required, additionalProperties: false };
  const reads = effect === 'read';
  const annotations = { readOnlyHint: reads, idempotentHint: reads, openWorldHint: false };
  return { effect, definition: ownDefinition({ name, title, description, inputSchema, annotations }) };
}

export const RUN_PROGRAM: OwnProgramTool = tool(
  'run_program',
  'write',
  'Run a program',
  'Starts a run of a program, and answers when it is over or waits for somebody, or with `running` when that takes long.',
  {
    program: PROGRAM,
    input: { type: 'object', description: 'what the program is given; an empty object if left out' },
    acceptUnproved: { type: 'boolean', description: 'start although properties of it are not proved' },
  },
  ['program'],
);

export const RESUME_RUN: OwnProgramTool = tool(
  'resume_run',
  'write',
  'Send an event to a run',
  'Gives a run of yours the event that it waits for, and answers as run_program does. An event that comes twice moves it once.',
  {
    run: RUN,
    event: { type: 'string', maxLength: 256, description: 'the event that the run waits for' },
    payload: { description: 'what the event brings; an empty object if left out' },
    id: { type: 'string', minLength: 1, maxLength: 256, description: 'tells an event that comes twice' },
  },
  ['run', 'event'],
);

export const GET_RUN: OwnProgramTool = tool(
  'get_run',
  'read',
  'Get a run',
  'Where a run of yours stands: its status, its steps, what it waits for, its output.',
  { run: RUN },
);

export const LIST_RUNS: OwnProgramTool = tool(
  'list_runs',
  'read',
  'List runs',
  'Your runs, the one that was moved last first.',
  {
    open: { type: 'boolean', description: 'only those that are not over' },
    limit: { type: 'integer', minimum: 1, maximum: LISTED_MAX },
  },
  [],
);

export const CANCEL_RUN: OwnProgramTool = tool(
  'cancel_run',
  'write',
  'Cancel a run',
  'Ends a run of yours; what it did is undone where its program says how.',
  { run: RUN },
);

export const SAVE_PROGRAM: OwnProgramTool = tool(
  'save_program',
  'write',
  'Save a program',
  'Checks a program and keeps it as saved/NAME, in the place of one of that name. Its text stays in the log.',
  { text: TEXT },
);

export const LIST_PROGRAMS: OwnProgramTool = tool(
  'list_programs',
  'read',
  'List programs',
  'The programs that are configured, and those that you saved.',
  {},
);

export const GET_PROGRAM: OwnProgramTool = tool('get_program', 'read', 'Get a program', 'The text of a program.', {
  program: PROGRAM,
});

export const DELETE_PROGRAM: OwnProgramTool = tool(
  'delete_program',
  'write',
  'Delete a saved program',
  'Frees the name. Runs that were started go on, and the log keeps the text.',
  { program: SAVED },
);

export const CHECK_PROGRAM: OwnProgramTool = tool(
  'check_program',
  'read',
  'Check a program',
  'Everything that is wrong with a program, with line and column. It saves and runs nothing.',
  { text: TEXT },
);

/** A configured program as a tool of its own, with its input as arguments. */
export function programAsTool(program: {
  readonly name: string;
  readonly version: number;
  readonly input: JsonObject;
}): ToolDefinition {
  const { name, version, input } = program;
  const description =
    `Runs the program ${name}, version ${version}, and answers with its output when it is over. While it waits for ` +
    'somebody the answer says what for, and the run goes on by itself.';
  return ownDefinition({ name, description, inputSchema: { ...input, type: 'object' } });
}

export const PROGRAM_TOOLS: readonly OwnProgramTool[] = [
  RUN_PROGRAM,
  RESUME_RUN,
  GET_RUN,
  LIST_RUNS,
  CANCEL_RUN,
  SAVE_PROGRAM,
  LIST_PROGRAMS,
  GET_PROGRAM,
  DELETE_PROGRAM,
  CHECK_PROGRAM,
];
