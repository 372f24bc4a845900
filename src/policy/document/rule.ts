/** `rules:` — what is allowed, asked about and denied, and under which conditions. */

import { isScalar } from 'yaml';
import type { Place } from '../../value/issue.ts';
import type { Effect } from '../decide/decision.ts';
import { readDuration } from '../../document/duration.ts';
import { LATER } from './later.ts';
import { parsePattern } from '../tool/pattern.ts';
import type { Pattern } from '../tool/pattern.ts';
import {
  readBoolean,
  readFields,
  readItems,
  readText,
  readTexts,
  readWhole,
  refuse,
  shown,
  target,
} from '../../document/reader.ts';
import type { Entry, Item, Reader } from '../../document/reader.ts';
import { locate } from '../../document/source.ts';
import type { Located } from '../../document/source.ts';

/** A pattern as it stands in the file. */
export interface LocatedPattern extends Pattern {
  readonly place: Place;
}

export interface Rule {
  /** `id:`, or `rules/N` with N counted from 0 in file order. */
  readonly id: string;
  readonly place: Place;
  readonly effect: Effect;
  readonly pattern: LocatedPattern;
  /** The condition; absent means always. */
  readonly when?: Located;
  readonly because?: string;
  /** Only on `ask`: who may answer, how many must, and for how long the answer is good. */
  readonly approvers?: readonly string[];
  readonly quorum?: number;
  readonly notRequester?: boolean;
  /** Milliseconds. */
  readonly expiresMs?: number;
}

const RULES_MAX = 10_000;
const EFFECTS: readonly Effect[] = ['allow', 'ask', 'deny'];
const ASK_ONLY = ['approvers', 'quorum', 'notRequester', 'expires'] as const;
const QUORUM_MAX = 100;
/** Among approvers: whoever asked. */
export const REQUESTER = 'requester';
const RULE_ID = /^[^\s\p{Cc}\p{Cf}]{1,128}$/u;
const POSITIONAL_ID = /^(?:rules|preset|interlock|exception|ledger)\//u;

export function readRules(reader: Reader, entry: Entry): readonly Rule[] {
  const items = readItems(reader, entry.value, entry.place, '`rules`') ?? [];
  if (items.length > RULES_MAX) {
    refuse(reader, entry.keyPlace, 'too-many', `expected at most ${RULES_MAX} rules, got ${items.length}`);
    return [];
  }
  const rules: Rule[] = [];
  const seen = new Map<string, Place>();
  for (const [index, { item, place }] of items.entries()) {
    const rule = readRule(reader, item, place, index);
    if (rule === undefined) continue;
    const before = seen.get(rule.id);
    if (before === undefined) seen.set(rule.id, rule.place);
    else
      refuse(reader, rule.place, 'duplicate-id', `the id \`${shown(rule.id)}\` is already used on line ${before.line}`);
    rules.push(rule);
  }
  return rules;
}

/** What has been read of a rule so far. */
interface Draft {
  effect?: Effect;
  effectPlace?: Place;
  pattern?: LocatedPattern;
  id?: string;
  when?: Located;
  because?: string;
  approvers?: readonly string[];
  quorum?: number;
  notRequester?: boolean;
  expiresMs?: number;
}

function readRule(reader: Reader, item: Item, place: Place, index: number): Rule | undefined {
  const what = `rule \`rules/${index}\``;
  const before = reader.issues.length;
  const draft: Draft = {};
  const written: Entry[] = [];
  const noting =
    (parser: (entry: Entry) => void) =>
    (entry: Entry): void => {
      written.push(entry);
      parser(entry);
    };
  const parsers = {
    ...Object.fromEntries(
      EFFECTS.map((effect) => [effect, (entry: Entry) => readEffect(reader, entry, effect, draft, what)]),
    ),
    id: (entry: Entry) => readId(reader, entry, draft, what),
    when: (entry: Entry) => assign(draft, 'when', readText(reader, entry.value, entry.place, `\`when\` of ${what}`)),
    because: (entry: Entry) =>
      assign(draft, 'because', readText(reader, entry.value, entry.place, `\`because\` of ${what}`)?.text),
    approvers: noting((entry) => readApprovers(reader, entry, draft, what)),
    quorum: noting((entry) =>
      assign(draft, 'quorum', readWhole(reader, entry.value, entry.place, `\`quorum\` of ${what}`, 1, QUORUM_MAX)),
    ),
    notRequester: noting((entry) =>
      assign(draft, 'notRequester', readBoolean(reader, entry.value, entry.place, `\`notRequester\` of ${what}`)),
    ),
    expires: noting((entry) => assign(draft, 'expiresMs', readDuration(reader, entry, `\`expires\` of ${what}`))),
  };
  readFields(reader, item, place, what, parsers, LATER.rule);
  const failed = reader.issues.slice(before).some((issue) => issue.severity === 'error');
  const { effect, pattern, id, effectPlace, ...rest } = draft;
  if (effect === undefined || pattern === undefined) {
    if (!failed && isMapItem(reader, item)) {
      refuse(reader, place, 'missing-key', `${what} says neither \`allow\`, \`ask\` nor \`deny\``);
    }
    return undefined;
  }
  for (const entry of effect === 'ask' ? [] : written) {
    const hint = `only \`${ASK_ONLY.join('`, `')}\` of an \`ask\` have a meaning`;
    refuse(reader, entry.keyPlace, 'key-without-ask', `\`${entry.key}\` of ${what} belongs to an \`ask\``, hint);
  }
  if (effect === 'ask') checkAnswerable(reader, place, rest, what);
  return Object.freeze({ id: id ?? `rules/${index}`, place: effectPlace ?? place, effect, pattern, ...rest });
}

/** A question that only the one who asked may answer cannot need another person as well. */
function checkAnswerable(reader: Reader, place: Place, draft: Draft, what: string): void {
  const { approvers, quorum = 1, notRequester = false } = draft;
  if (approvers === undefined || approvers.some((approver) => approver !== REQUESTER)) return;
  if (quorum === 1 && !notRequester) return;
  const hint = quorum === 1 ? 'remove `notRequester`, or name other approvers' : 'name other approvers';
  refuse(reader, place, 'nobody-can-answer', `nobody could answer ${what}: it asks only the requester`, hint);
}

function assign<K extends keyof Draft>(draft: Draft, key: K, value: Draft[K] | undefined): void {
  if (value !== undefined) draft[key] = value;
}

function isMapItem(reader: Reader, item: Item): boolean {
  const node = target(reader, item);
  return node !== null && node !== undefined && !isScalar(node) && 'items' in node;
}

function readEffect(reader: Reader, entry: Entry, effect: Effect, draft: Draft, what: string): void {
  if (draft.effect !== undefined) {
    const hint = 'write one rule for each: to offer a question, an `allow` and an `ask`';
    refuse(reader, entry.keyPlace, 'two-effects', `${what} says both \`${draft.effect}\` and \`${effect}\``, hint);
    return;
  }
  draft.effect = effect;
  draft.effectPlace = entry.keyPlace;
  const text = readText(reader, entry.value, entry.place, `\`${effect}\` of ${what}`);
  if (text !== undefined) assign(draft, 'pattern', patternAt(reader, text, `\`${effect}\` of ${what}`));
}

/** The pattern that `text` writes, or `undefined` with an error. */
export function patternAt(reader: Reader, text: Located, what: string): LocatedPattern | undefined {
  const parsed = parsePattern(text.text);
  const place = locate(text, 0);
  if (parsed.ok) return Object.freeze({ ...parsed.pattern, place });
  return refuse(
    reader,
    place,
    'pattern-malformed',
    `${what} is no pattern: ${parsed.message}, got \`${shown(text.text)}\``,
  );
}

function readId(reader: Reader, entry: Entry, draft: Draft, what: string): void {
  const id = readText(reader, entry.value, entry.place, `\`id\` of ${what}`)?.text;
  if (id === undefined) return;
  if (!RULE_ID.test(id)) {
    const message = `expected \`id\` of ${what} to be 1 to 128 characters without spaces, got \`${shown(id)}\``;
    refuse(reader, entry.place, 'wrong-value', message);
  } else if (POSITIONAL_ID.test(id)) {
    const hint =
      'ids that begin with `rules/`, `preset/`, `interlock/`, `exception/` or `ledger/` name rules of no file';
    refuse(reader, entry.place, 'wrong-value', `\`id\` of ${what} cannot be \`${shown(id)}\``, hint);
  } else draft.id = id;
}

function readApprovers(reader: Reader, entry: Entry, draft: Draft, what: string): void {
  const texts = readTexts(reader, entry.value, entry.place, `\`approvers\` of ${what}`);
  if (texts?.length === 0) {
    refuse(reader, entry.place, 'wrong-value', `\`approvers\` of ${what} is empty: nobody could answer`);
  } else if (texts !== undefined) draft.approvers = texts.map((text) => text.text);
}
