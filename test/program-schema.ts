/** The JSON Schema of programs, for editors: `node test/program-schema.ts --write` writes the file. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject } from '../src/value/json.ts';
import { ROOT } from './source.ts';

export const PROGRAM_SCHEMA_FILE: string = join(ROOT, 'schema', 'program.schema.json');

type Keys = Readonly<Record<string, JsonObject>>;

function closed(properties: Keys, required: readonly string[] = []): JsonObject {
  return { type: 'object', properties, additionalProperties: false, ...(required.length === 0 ? {} : { required }) };
}

function text(description: string, more: JsonObject = {}): JsonObject {
  return { type: 'string', minLength: 1, description, ...more };
}

function texts(description: string, more: JsonObject = {}): JsonObject {
  return { type: 'array', items: { type: 'string', minLength: 1 }, description, ...more };
}

function whole(description: string, minimum: number, maximum: number): JsonObject {
  return { type: 'integer', minimum, maximum, description };
}

function data(description: string): JsonObject {
  return { oneOf: [{ type: 'object' }, { type: 'string', pattern: '^\\$\\{\\{(.|\\n)*\\}\\}$' }], description };
}

function words(description: string): JsonObject {
  return { type: 'string', description };
}

const step = (description: string): JsonObject => text(`the step ${description}`);
const schema = (description: string): JsonObject => ({ type: 'object', description: `a JSON Schema: ${description}` });
const duration = (description: string): JsonObject => text(description, { pattern: '^[0-9]+(ms|s|m|h|d)$' });

const ID = '^[A-Za-z][A-Za-z0-9_]{0,63}$';

const ONWARD: Keys = { next: step('that follows'), on_error: step('that follows a failure; without it the run ends') };
const RETRY: JsonObject = {
  ...closed({ attempts: whole('how often it is attempted at most (1)', 1, 10) }),
  description: 'attempts of what is safe to repeat',
};
const ARGS = data('its arguments; `${{ CEL }}` stands for what the expression gives');
const UNDO = closed({ tool: text('the tool that undoes it'), args: ARGS }, ['tool']);

function mismatchOf(otherwise: JsonObject): JsonObject {
  return {
    ...closed({
      retry: whole('how often an answer that is none is asked for again (0)', 0, 10),
      // oxlint-disable-next-line unicorn/no-thenable -- a key of the language
      then: otherwise,
    }),
    description: 'what follows an answer that is none of those asked for',
  };
}

/** The keys of each action, those that it must have first. */
const ACTIONS: Readonly<Record<string, readonly [required: readonly string[], keys: Keys]>> = {
  tool: [
    ['tool'],
    {
      tool: text('a tool, `server.tool`'),
      args: ARGS,
      retry: RETRY,
      timeout: duration('how long it may take (60s)'),
      undo: { ...UNDO, description: 'what undoes it, when the run ends in failure after it' },
    },
  ],
  llm: [
    ['llm', 'prompt'],
    {
      llm: text('a model'),
      prompt: words('what it is asked, with `${{ CEL }}` in it'),
      outputs: texts('the answer is one of these words', { minItems: 1 }),
      schema: schema('the answer is JSON that it takes'),
      mismatch: mismatchOf(step('that then comes; `fail`: the step fails')),
      fallback: texts('models that are asked when the one before cannot answer'),
      retry: RETRY,
      timeout: duration('how long an answer may take (60s)'),
    },
  ],
  call: [['call'], { call: text('another program'), input: data('its input') }],
};

/** As the actions, but that a branch leads nowhere by itself. */
function branches(): readonly JsonObject[] {
  return Object.entries(ACTIONS).map(([kind, [required, keys]]) =>
    closed(
      kind === 'llm' ? { ...keys, mismatch: mismatchOf({ const: 'fail', description: 'its step fails' }) } : keys,
      required,
    ),
  );
}

/** The keys of each kind of step. */
export const KINDS: Readonly<Record<string, JsonObject>> = {
  ...Object.fromEntries(
    Object.entries(ACTIONS).map(([kind, [required, keys]]) => [
      kind,
      closed({ ...keys, ...ONWARD }, [...required, 'next']),
    ]),
  ),
  choose: closed(
    {
      choose: {
        type: 'array',
        minItems: 1,
        items: closed({ when: text('CEL: the condition; only the last may have none'), next: step('it leads to') }, [
          'next',
        ]),
        description: 'the first branch whose condition is true is taken',
      },
      on_error: step('that follows a condition that errors'),
    },
    ['choose'],
  ),
  parallel: closed(
    {
      parallel: {
        type: 'object',
        minProperties: 1,
        maxProperties: 1_000,
        propertyNames: { pattern: ID },
        additionalProperties: { anyOf: branches() },
        description: 'branches by name, each a tool, a model or a program',
      },
      max: whole('how many run at once (all)', 1, 1_000),
      ...ONWARD,
    },
    ['parallel', 'next'],
  ),
  ask: closed(
    {
      ask: text('the role that may answer'),
      show: words('what it is shown'),
      timeout: duration('how long there may be no answer (24h)'),
      yes: step('that an approval leads to'),
      no: step('that a refusal leads to'),
      expired: step('that comes when nobody answers'),
    },
    ['ask', 'yes', 'no', 'expired'],
  ),
  wait: closed(
    {
      wait: text('an event of `events`'),
      timeout: duration('how long it is waited for (24h)'),
      next: step('that the event leads to'),
      expired: step('that comes when the event does not'),
    },
    ['wait', 'next', 'expired'],
  ),
  end: closed(
    {
      end: text('`success`, or the name of another outcome', {
        pattern: '^(?!(running|suspended|budget-exceeded|stalled|cancelled)$)[a-z][a-z0-9-]{0,63}$',
      }),
      output: { description: 'what the run brings' },
      because: words('why it ends so'),
    },
    ['end'],
  ),
};

export const LIMITS: Keys = {
  steps: whole('steps and branches of one run (1000)', 1, 10_000_000),
  stalled: whole('visits of a step that find nothing new (3)', 1, 1_000),
  tokens: whole('tokens of models, in and out (100000)', 1, Number.MAX_SAFE_INTEGER),
  usd: { type: 'number', exclusiveMinimum: 0, description: 'US dollars (1)' },
  time: duration('active time (10m)'),
};

export const TOP: Keys = {
  program: text('its name', { pattern: '^[a-z][a-z0-9_-]{0,63}$' }),
  version: whole('1 without it', 1, 1_000_000),
  input: schema('what a run takes'),
  events: {
    type: 'object',
    additionalProperties: schema('what the event brings'),
    description: 'what it waits for, by name',
  },
  limits: { ...closed(LIMITS), description: 'what one run may take' },
  properties: texts(
    'what is proved of all runs: `pay only after check`, `never pay`, `never a then b`, `at most 1 pay`',
    {
      maxItems: 100,
    },
  ),
  start: step('that comes first'),
  steps: {
    type: 'object',
    minProperties: 1,
    propertyNames: { pattern: ID },
    additionalProperties: { anyOf: Object.values(KINDS) },
    description: 'the steps by id',
  },
};

/** The whole schema. */
export function programSchema(): JsonObject {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'a program',
    description: 'A program of Interlock: a finite-state machine written as data.',
    ...closed(TOP, ['program', 'start', 'steps']),
  };
}

if (import.meta.main) {
  const written = `${JSON.stringify(programSchema(), null, 2)}\n`;
  if (process.argv.includes('--write')) writeFileSync(PROGRAM_SCHEMA_FILE, written);
  else process.stdout.write(written);
}
