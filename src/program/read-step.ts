/** Reads the steps of a program, each of the one kind that its keys name. */

import { type Entry, type Reader, readEntries, readItems, readWhole, refuse, shown } from '../document/reader.ts';
import { type Located, locate } from '../document/source.ts';
import type { Place } from '../value/issue.ts';
import { type Fields, fieldsOf, within } from './fields.ts';
import type { WrittenAction, WrittenModel, WrittenStep, WrittenTemplate, WrittenTool } from './written.ts';

/** The keys of each kind of step, its own first. */
const KEYS = {
  tool: ['tool', 'args', 'retry', 'timeout', 'undo'],
  llm: ['llm', 'prompt', 'outputs', 'schema', 'mismatch', 'fallback', 'retry', 'timeout'],
  call: ['call', 'input'],
  choose: ['choose', 'on_error'],
  parallel: ['parallel', 'max', 'next', 'on_error'],
  ask: ['ask', 'show', 'timeout', 'yes', 'no', 'expired'],
  wait: ['wait', 'timeout', 'next', 'expired'],
  end: ['end', 'output', 'because'],
} as const;

type Kind = keyof typeof KEYS;

const KINDS = Object.keys(KEYS) as Kind[];
const ACTIONS: readonly Kind[] = ['tool', 'llm', 'call'];
const ONWARD = ['next', 'on_error'];

const TIMEOUT_MS = 60_000;
const WAIT_MS = 86_400_000;
const ATTEMPTS_MAX = 10;
const MISMATCHES_MAX = 10;
const BRANCHES_MAX = 1_000;
const ID = /^[A-Za-z][A-Za-z0-9_]{0,63}$/;
/** Commands that undo a step begin with it. */
const UNDO = 'undo';
const STATUS = /^[a-z][a-z0-9-]{0,63}$/;
/** What a run is while it goes on, or ends as by itself. */
const RESERVED = ['running', 'suspended', 'budget-exceeded', 'stalled', 'cancelled'];

/** All steps by id, in the order of the document; nothing with errors. */
export function readSteps(reader: Reader, entry: Entry): ReadonlyMap<string, WrittenStep> | undefined {
  const steps = new Map<string, WrittenStep>();
  const entries = readEntries(reader, entry.value, entry.place, '`steps`');
  for (const each of entries ?? []) {
    const step = readStep(reader, each);
    if (step !== undefined) steps.set(each.key, step);
  }
  if (entries?.length === 0) refuse(reader, entry.place, 'no-steps', 'expected `steps` to have a step, got none');
  return entries === undefined ? undefined : steps;
}

function readStep(reader: Reader, entry: Entry): WrittenStep | undefined {
  const { key: id, keyPlace: place } = entry;
  const what = `step \`${shown(id)}\``;
  if (!ID.test(id)) {
    const message = `expected the id of a step to be a letter and up to 63 letters, digits or \`_\`, got \`${shown(id)}\``;
    return refuse(reader, place, 'id-malformed', message);
  }
  if (id === UNDO) {
    const hint = 'give it another name';
    return refuse(reader, place, 'id-malformed', `\`${id}\` is what the undoing of a step is told as`, hint);
  }
  const found = kindOf(reader, entry, what, KINDS);
  if (found === undefined) return undefined;
  const { kind, entries } = found;
  const isAction = ACTIONS.includes(kind);
  const fields = fieldsOf(reader, entries, place, what, isAction ? [...KEYS[kind], ...ONWARD] : KEYS[kind]);
  const common = { id, place };
  switch (kind) {
    case 'tool':
    case 'llm':
    case 'call': {
      const action = readAction(reader, fields, kind);
      const onward = onwardOf(fields);
      return action && onward && { ...common, ...onward, ...action };
    }
    case 'choose': {
      const branches = readChoices(reader, fields);
      const onError = fields.text('on_error');
      return branches && { ...common, kind, branches, ...(onError === undefined ? {} : { onError }) };
    }
    case 'parallel': {
      const branches = readBranches(reader, fields);
      const onward = onwardOf(fields);
      const max = fields.whole('max', 1, BRANCHES_MAX) ?? branches?.size ?? 1;
      return branches && onward && { ...common, ...onward, kind, branches, max };
    }
    case 'ask':
      return readAsk(fields, common);
    case 'wait': {
      const event = fields.text('wait');
      const next = fields.needed('next', 'name the step that the event leads to');
      const expired = fields.needed('expired', 'name the step that comes when the event does not');
      const timeoutMs = fields.duration('timeout') ?? WAIT_MS;
      return event && next && expired && { ...common, kind, event, next, expired, timeoutMs };
    }
    case 'end':
      return readEnd(reader, fields, common);
  }
}

/** The one kind that the keys of a part name, of those that it may be. */
function kindOf(
  reader: Reader,
  { value, place, keyPlace }: Entry,
  what: string,
  kinds: readonly Kind[],
): { readonly kind: Kind; readonly entries: readonly Entry[] } | undefined {
  const entries = readEntries(reader, value, place, what);
  if (entries === undefined) return undefined;
  const [kind, other] = kinds.filter((one) => entries.some(({ key }) => key === one));
  const list = kinds.map((one) => `\`${one}\``).join(', ');
  if (kind === undefined) return refuse(reader, keyPlace, 'kind-missing', `expected ${what} to say one of ${list}`);
  if (other === undefined) return { kind, entries };
  return refuse(
    reader,
    keyPlace,
    'two-kinds',
    `${what} says both \`${kind}\` and \`${other}\``,
    'write one step for each',
  );
}

function onwardOf(fields: Fields): { readonly next: Located; readonly onError?: Located } | undefined {
  const next = fields.needed('next', 'name the step that follows');
  const onError = fields.text('on_error');
  return next && { next, ...(onError === undefined ? {} : { onError }) };
}

function readAction(reader: Reader, fields: Fields, kind: Kind): WrittenAction | undefined {
  if (kind === 'tool') return readTool(reader, fields);
  if (kind === 'llm') return readModel(reader, fields);
  const program = fields.text('call');
  const input = objectOf(reader, fields, 'input');
  return program && input && { kind: 'call', program, input };
}

function readTool(reader: Reader, fields: Fields): WrittenTool | undefined {
  const tool = fields.text('tool');
  const args = objectOf(reader, fields, 'args');
  const undo = readUndo(reader, fields);
  const common = { attempts: readAttempts(reader, fields), timeoutMs: fields.duration('timeout') ?? TIMEOUT_MS };
  return tool && args && { kind: 'tool', tool, args, ...common, ...(undo === undefined ? {} : { undo }) };
}

/** A map of values; an empty one where nothing is written. */
function objectOf(reader: Reader, fields: Fields, key: string): WrittenTemplate | undefined {
  const entry = fields.entry(key);
  if (entry === undefined) return { kind: 'map', members: [] };
  const template = fields.template(key);
  if (template === undefined || template.kind === 'map') return template;
  const isWhole = template.kind === 'text' && template.parts.length === 1 && typeof template.parts[0] !== 'string';
  if (isWhole) return template;
  return refuse(reader, entry.place, 'wrong-type', `expected \`${key}\` of ${fields.what} to be a map`);
}

function readUndo(reader: Reader, fields: Fields): WrittenTool['undo'] {
  const entry = fields.entry('undo');
  const entries = entry && readEntries(reader, entry.value, entry.place, `\`undo\` of ${fields.what}`);
  if (entry === undefined || entries === undefined) return undefined;
  const inner = fieldsOf(reader, entries, entry.place, `\`undo\` of ${fields.what}`, ['tool', 'args']);
  const tool = inner.needed('tool', 'name the tool that undoes it');
  const args = objectOf(reader, inner, 'args');
  return tool && args && { tool, args };
}

function readAttempts(reader: Reader, fields: Fields): number {
  let attempts = 1;
  within(reader, fields, 'retry', {
    attempts: ({ value, place }) => {
      attempts = readWhole(reader, value, place, `\`attempts\` of ${fields.what}`, 1, ATTEMPTS_MAX) ?? attempts;
    },
  });
  return attempts;
}

function readModel(reader: Reader, fields: Fields): WrittenModel | undefined {
  const model = fields.text('llm');
  const fallback = fields.texts('fallback') ?? [];
  if (fields.entry('prompt') === undefined) {
    refuse(reader, fields.place, 'missing-key', `${fields.what} has no \`prompt\``, 'write what the model is asked');
  }
  const prompt = fields.template('prompt');
  const outputs = fields.texts('outputs')?.map(({ text }) => text);
  const schema = fields.schema('schema');
  const mismatch = readMismatch(reader, fields);
  if (fields.entry('outputs') !== undefined && fields.entry('schema') !== undefined) {
    refuse(
      reader,
      fields.place,
      'two-gates',
      `${fields.what} says both \`outputs\` and \`schema\``,
      'write one of them',
    );
  }
  if (outputs?.length === 0) {
    refuse(reader, fields.place, 'wrong-value', `\`outputs\` of ${fields.what} is empty: no answer would be one`);
  }
  const gate = { ...(outputs === undefined ? {} : { outputs }), ...(schema === undefined ? {} : { schema }) };
  const common = { attempts: readAttempts(reader, fields), timeoutMs: fields.duration('timeout') ?? TIMEOUT_MS };
  return model && prompt && { kind: 'llm', models: [model, ...fallback], prompt, mismatch, ...gate, ...common };
}

/** `then: fail` is what happens without it. */
function readMismatch(reader: Reader, fields: Fields): WrittenModel['mismatch'] {
  const what = `\`mismatch\` of ${fields.what}`;
  const entry = fields.entry('mismatch');
  const entries = entry && readEntries(reader, entry.value, entry.place, what);
  if (entry === undefined || entries === undefined) return { retry: 0 };
  const inner = fieldsOf(reader, entries, entry.place, what, ['retry', 'then']);
  const retry = inner.whole('retry', 0, MISMATCHES_MAX) ?? 0;
  const otherwise = inner.text('then');
  return otherwise === undefined || otherwise.text === 'fail' ? { retry } : { retry, otherwise };
}

function readChoices(
  reader: Reader,
  fields: Fields,
): readonly { readonly place: Place; readonly when?: Located; readonly next: Located }[] | undefined {
  const entry = fields.entry('choose');
  const items = entry && readItems(reader, entry.value, entry.place, `\`choose\` of ${fields.what}`);
  if (items?.length === 0 && entry !== undefined) {
    refuse(reader, entry.place, 'wrong-value', `\`choose\` of ${fields.what} is empty: it leads nowhere`);
  }
  const choices = items?.map(({ item, place }, index) => {
    const what = `branch ${index} of ${fields.what}`;
    const entries = readEntries(reader, item, place, what);
    const inner = entries && fieldsOf(reader, entries, place, what, ['when', 'next']);
    const next = inner?.needed('next', 'name the step that it leads to');
    const when = inner?.text('when');
    if (when === undefined && index < items.length - 1 && inner?.entry('when') === undefined) {
      const hint = 'put it last, or give it a `when`';
      refuse(reader, place, 'branch-unreachable', `no branch after ${what} is ever tried: it has no \`when\``, hint);
    }
    return next && { place, next, ...(when === undefined ? {} : { when }) };
  });
  return choices?.every((choice) => choice !== undefined) === true ? choices : undefined;
}

function readBranches(
  reader: Reader,
  fields: Fields,
): ReadonlyMap<string, WrittenAction & { readonly place: Place }> | undefined {
  const entry = fields.entry('parallel');
  const entries = entry && readEntries(reader, entry.value, entry.place, `\`parallel\` of ${fields.what}`);
  if (entries === undefined || entry === undefined) return undefined;
  if (entries.length === 0 || entries.length > BRANCHES_MAX) {
    const message = `expected \`parallel\` of ${fields.what} to have 1 to ${BRANCHES_MAX} branches, got ${entries.length}`;
    return refuse(reader, entry.place, 'wrong-value', message);
  }
  const branches = new Map<string, WrittenAction & { readonly place: Place }>();
  for (const each of entries) {
    const what = `branch \`${shown(each.key)}\` of ${fields.what}`;
    if (!ID.test(each.key)) refuse(reader, each.keyPlace, 'id-malformed', `${what} has an id that is none`);
    const found = kindOf(reader, each, what, ACTIONS);
    const inner = found && fieldsOf(reader, found.entries, each.keyPlace, what, KEYS[found.kind]);
    const action = inner && readAction(reader, inner, found.kind);
    if (action === undefined) continue;
    if (action.kind === 'llm' && action.mismatch.otherwise !== undefined) {
      const hint = 'without `then` the step fails: name with its `on_error` what follows';
      refuse(reader, locate(action.mismatch.otherwise, 0), 'wrong-value', `${what} leads to no step by itself`, hint);
    }
    branches.set(each.key, { ...action, place: each.keyPlace });
  }
  return branches;
}

function readAsk(fields: Fields, common: { readonly id: string; readonly place: Place }): WrittenStep | undefined {
  const approvers = fields.text('ask')?.text;
  const show = fields.template('show') ?? { kind: 'literal', value: common.id };
  const timeoutMs = fields.duration('timeout') ?? WAIT_MS;
  const yes = fields.needed('yes', 'name the step that an approval leads to');
  const no = fields.needed('no', 'name the step that a refusal leads to');
  const expired = fields.needed('expired', 'name the step that comes when nobody answers');
  if (approvers === undefined || yes === undefined || no === undefined || expired === undefined) return undefined;
  return { ...common, kind: 'ask', approvers, show, timeoutMs, yes, no, expired };
}

function readEnd(
  reader: Reader,
  fields: Fields,
  common: { readonly id: string; readonly place: Place },
): WrittenStep | undefined {
  const status = fields.text('end')?.text;
  const output = fields.template('output');
  const because = fields.template('because');
  if (status === undefined) return undefined;
  if (!STATUS.test(status) || RESERVED.includes(status)) {
    const message = `expected \`end\` of ${fields.what} to be \`success\`, \`failed\` or another name of a-z and \`-\`, got \`${shown(status)}\``;
    return refuse(reader, fields.place, 'status-malformed', message, `what ends by itself is ${RESERVED.join(', ')}`);
  }
  const more = { ...(output === undefined ? {} : { output }), ...(because === undefined ? {} : { because }) };
  return { ...common, kind: 'end', status, ...more };
}
