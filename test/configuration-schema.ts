/** The JSON Schema of `interlock.yaml`, for editors: `node test/configuration-schema.ts --write` writes the file. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject } from '../src/value/json.ts';
import { ROOT } from './source.ts';

export const SCHEMA_FILE: string = join(ROOT, 'schema', 'interlock.schema.json');

type Keys = Readonly<Record<string, JsonObject>>;

function closed(properties: Keys, more: JsonObject = {}): JsonObject {
  return { type: 'object', properties, additionalProperties: false, ...more };
}

function named(values: JsonObject, pattern: string, description: string): JsonObject {
  return { type: 'object', propertyNames: { pattern }, additionalProperties: values, description };
}

function text(description: string, more: JsonObject = {}): JsonObject {
  return { type: 'string', description, ...more };
}

function texts(description: string, more: JsonObject = {}): JsonObject {
  return { type: 'array', items: { type: 'string' }, description, ...more };
}

function whole(description: string, minimum: number, more: JsonObject = {}): JsonObject {
  return { type: 'integer', minimum, description, ...more };
}

function word(description: string, ...words: readonly string[]): JsonObject {
  return { enum: words, description };
}

const PATTERN = 'a tool `server.tool`, or a pattern: `*` is any run of characters';
const DURATION = { pattern: '^[0-9]+(ms|s|m|h|d)$' };
const PER: JsonObject = {
  type: 'array',
  items: { enum: ['tenant', 'principal', 'agent', 'run', 'tool'] },
  description: 'one counter for each combination of these; empty is one for all',
};

const SERVER: Keys = {
  command: text('the program to start'),
  package: text('an npm package to run instead, NAME@VERSION; `interlock init` installs it'),
  args: texts('its arguments'),
  env: {
    type: 'object',
    additionalProperties: { type: 'string' },
    description: 'its environment; `${NAME}` is replaced, never stored and never logged',
  },
  cwd: text('where it starts'),
  sandbox: word('how it is confined', 'off'),
  timeoutMs: whole('how long a call may take, milliseconds (60000)', 1),
  startTimeoutMs: whole('how long it may take to start, milliseconds (10000)', 1),
};

const CHARGES: JsonObject = {
  type: 'object',
  minProperties: 1,
  additionalProperties: { type: ['string', 'integer'], minimum: 0 },
};

const TOOL: Keys = {
  effect: word('what the tool does; undeclared means irreversible', 'read', 'write', 'irreversible'),
  input: { type: 'object', description: 'a JSON Schema in place of the one that the server sends' },
  key: text('CEL: the business idempotency key, whoever asks'),
  cost: { ...CHARGES, description: 'what each call is charged before it runs: budget to CEL' },
  actualCost: { ...CHARGES, description: 'what a call turned out to take: budget to CEL, which reads `output` too' },
  failed: word('a call that the tool answered with an error took nothing', 'no-effect'),
  effectTimeout: text('how long after an unknown outcome the tool may still be at work', DURATION),
  downstreamKey: {
    description: 'where the tool takes an idempotency key of its own, which the gateway gives it',
    oneOf: [
      closed({ arg: text('an argument') }, { required: ['arg'] }),
      closed({ meta: text('a member of `_meta`') }, { required: ['meta'] }),
    ],
  },
  probe: closed(
    {
      tool: text('a tool that is declared `effect: read`'),
      args: {
        type: 'object',
        additionalProperties: { type: 'string' },
        description: "its arguments: CEL over the call's",
      },
      executed: text('CEL: whether the call has happened, from the `output` of the probe'),
    },
    { required: ['tool', 'executed'], description: 'how to find out whether a call of unknown outcome has happened' },
  ),
  personal: texts('CEL: arguments that are personal values, sealed where they are recorded'),
  subject: text('CEL: whose data it is'),
  subjectCheck: text('a tool that reads and knows the subject; `required`: one that nothing checks is refused'),
  secrets: {
    description: 'CEL: what is secret of the arguments, and paths into `output`; `never-store`: nothing of it may wait',
    oneOf: [{ const: 'never-store' }, { type: 'array', items: { type: 'string' }, minItems: 1 }],
  },
  labels: texts('what conditions see as `tool.labels`'),
  guard: closed({
    path: closed(
      {
        within: text('the directory that every path must really lie in'),
        args: texts('the arguments that are paths; absent: those whose name or format says so', { minItems: 1 }),
      },
      { required: ['within'] },
    ),
  }),
};

const PRINCIPAL: Keys = {
  roles: texts('what conditions see as `principal.roles`, and who may approve'),
  labels: texts('what conditions see as `principal.labels`'),
  key: text('public key of an approver', { pattern: '^ed25519:[A-Za-z0-9+/]{43}=$' }),
};

const RULE: Keys = {
  id: text('the name of the rule; without it `rules/N`', {
    pattern: '^(?!rules/|preset/|interlock/|exception/|ledger/)\\S{1,128}$',
  }),
  allow: text(PATTERN),
  ask: text(PATTERN),
  deny: text(PATTERN),
  when: text('CEL: the condition; absent means always'),
  because: text('said with the decision'),
  approvers: texts('ids and roles who may answer; `requester` is whoever asked', { minItems: 1 }),
  quorum: whole('how many must answer', 1, { maximum: 100 }),
  notRequester: { type: 'boolean', description: 'whoever asked may not answer' },
  expires: text('how long an answer is good', DURATION),
};

const PROGRAM: Keys = {
  file: text('the file of the program, relative to this one', { minLength: 1 }),
  as: word('hosts see it as one tool, `interlock__NAME`', 'tool'),
};

const EFFECTS = ['allow', 'ask', 'deny'];
const BUDGET: Keys = {
  limit: whole('whole units that may be spent in one window', 0),
  unit: text('what is counted: `usd-cents`, `calls`, `tokens`, `x-NAME`, …'),
  per: PER,
  window: text('when it begins anew', DURATION),
  rolling: { type: 'boolean', description: 'the window moves with the clock' },
};

const LIMIT: Keys = {
  tools: text(PATTERN),
  rate: text('calls in a time: `120/1m`', { pattern: '^[0-9]+/[0-9]+(ms|s|m|h|d)$' }),
  concurrency: whole('calls at once', 1),
  count: whole('calls in one run', 1),
  depth: whole('how long the chain of delegation may be', 0),
  per: PER,
};
const CEILINGS = ['rate', 'concurrency', 'count', 'depth'];

function exactlyOne(keys: readonly string[]): JsonObject {
  return { oneOf: keys.map((key) => ({ required: [key] })) };
}

/** The keys of each section that this version reads. */
const MODEL: Keys = {
  provider: word('who serves it', 'openai', 'anthropic', 'openai-compatible', 'scripted'),
  model: text('its name at the provider'),
  url: text("the base of its API (the provider's own)", { pattern: '^https?://[^@?#\\s\\\\]+$' }),
  apiKeyEnv: text("the environment variable that holds the key (the provider's own)", {
    pattern: '^[A-Za-z_][A-Za-z0-9_]*$',
  }),
  price: closed(
    {
      input: { type: 'number', minimum: 0, maximum: 1_000_000 },
      output: { type: 'number', minimum: 0, maximum: 1_000_000 },
    },
    { required: ['input', 'output'], description: 'US dollars per million tokens' },
  ),
  file: text('of `scripted`: its answers'),
};

/** What each provider needs, and what it does not have. */
const PROVIDERS: JsonObject = {
  oneOf: [
    { properties: { provider: { enum: ['openai', 'anthropic'] }, file: false }, required: ['model'] },
    { properties: { provider: { const: 'openai-compatible' }, file: false }, required: ['model', 'url'] },
    {
      properties: { provider: { const: 'scripted' }, model: false, url: false, apiKeyEnv: false },
      required: ['file'],
    },
  ],
  required: ['provider'],
};

export const SECTIONS: Readonly<Record<string, Keys>> = {
  SERVER,
  MODEL,
  TOOL,
  PRINCIPAL,
  PROGRAM,
  RULE,
  BUDGET,
  LIMIT,
};

export const TOP: Keys = {
  interlock: { const: 1, description: 'the version of the format' },
  principal: text('who the host is on stdio (local)', { minLength: 1, maxLength: 256 }),
  shadow: text('the file of a second policy: decided beside this one, recorded, never enforced', { minLength: 1 }),
  preset: word('what holds besides the rules', 'read-only', 'strict', 'shadow'),
  servers: named(closed(SERVER, exactlyOne(['command', 'package'])), '^[a-z][a-z0-9-]{0,31}$', 'MCP servers by id'),
  models: named(closed(MODEL, PROVIDERS), '^[a-z][a-z0-9-]{0,31}$', 'models that programs may ask, by name'),
  tools: { type: 'object', additionalProperties: closed(TOOL), description: `what is known of ${PATTERN}` },
  principals: { type: 'object', additionalProperties: closed(PRINCIPAL), description: 'who may act, by id' },
  programs: named(closed(PROGRAM, { required: ['file'] }), '^[a-z][a-z0-9_-]{0,63}$', 'programs by name'),
  rules: {
    type: 'array',
    items: closed(RULE, exactlyOne(EFFECTS)),
    description: 'what is allowed, asked about, denied',
  },
  budgets: named(
    closed(BUDGET, { required: ['limit', 'unit', 'window'] }),
    '^[A-Za-z][A-Za-z0-9_]{0,63}$',
    'how much may be spent, by name',
  ),
  retention: closed({
    bodies: text('how long results are kept after their call has ended; absent: for ever', DURATION),
  }),
  limits: {
    type: 'array',
    items: closed(LIMIT, { required: ['tools'], ...exactlyOne(CEILINGS) }),
    description: 'rates, calls at once, calls in a run, depth',
  },
  pins: closed({
    first: word(
      'a tool that no lock pins is used as it is, or denied until somebody reviews it (trust)',
      'trust',
      'ask',
    ),
  }),
  clock: closed({ gap: text('a start later than that after the last entry waits for a person (30d)', DURATION) }),
  disk: closed({
    reserve: text('with less than that free on the disk of the ledger no call is decided (64MiB)', {
      pattern: '^(0|[1-9][0-9]{0,15})(KiB|MiB|GiB|TiB)$',
    }),
  }),
  approvals: closed({
    signed: { type: 'boolean', description: "an answer counts only with its approver's signature (true)" },
    interactive: { type: 'boolean', description: 'a person at the host may answer for the requester (false)' },
  }),
  checkpoints: closed({
    file: text("where a checkpoint is kept outside of the data directory (in the user's state directory)"),
    witnesses: {
      type: 'array',
      maxItems: 16,
      description: 'who cosigns checkpoints (C2SP tlog-witness)',
      items: closed(
        {
          key: text('its key, NAME+ID+KEY in one line', { pattern: '^[^+\\s]+\\+[0-9a-f]{8}\\+[A-Za-z0-9+/=]+$' }),
          url: text('where it listens; `add-checkpoint` is below it', { pattern: '^https?://' }),
        },
        { required: ['key', 'url'] },
      ),
    },
  }),
  personal: closed({
    epoch: text('how long the key that wraps all others lasts (30d)', DURATION),
    results: word('whether a caller sees what is personal of a result, or references to it (show)', 'show', 'hide'),
    models: {
      type: 'object',
      additionalProperties: word('whether the model sees what is personal of its prompts (hide)', 'show', 'hide'),
      description: 'which models see personal values, by name',
    },
  }),
  secrets: closed({
    detect: { type: 'boolean', description: 'secrets are looked for where none is declared (true)' },
    results: word('whether a caller sees the secrets of a result, or references to them (show)', 'show', 'hide'),
    replay: text('how long a result with secrets is kept for who asks again under its key (10m)', DURATION),
  }),
};

/** The whole schema. */
export function configurationSchema(): JsonObject {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'interlock.yaml',
    description: 'The policy and servers of Interlock.',
    ...closed(TOP, { required: ['interlock'] }),
  };
}

if (import.meta.main) {
  const text = `${JSON.stringify(configurationSchema(), null, 2)}\n`;
  if (process.argv.includes('--write')) writeFileSync(SCHEMA_FILE, text);
  else process.stdout.write(text);
}
