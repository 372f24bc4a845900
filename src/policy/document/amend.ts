/** Changes rules in the text of a configuration, and nothing that a person wrote around them. */

import { YAMLSeq, isMap, isScalar, isSeq, parseDocument } from 'yaml';
import type { Pair, ParseOptions, DocumentOptions, SchemaOptions, Scalar, YAMLMap } from 'yaml';
import type { JsonObject } from '../../value/json.ts';
import { yamlText } from './yaml-text.ts';

/** One stretch of the old text and what takes its place; UTF-16 offsets. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

const FORM: ParseOptions & DocumentOptions & SchemaOptions = { version: '1.2', schema: 'core', uniqueKeys: false };
const EFFECTS: ReadonlySet<string> = new Set(['allow', 'ask', 'deny']);
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

/**
 * The edits that give the rules at these places among `rules:` these conditions, in ascending order; nothing where a
 * rule does not stand in the text as itself. What they make of the text is the caller's to parse again and compare: an
 * anchor may have readers elsewhere.
 */
export function editConditions(text: string, conditions: ReadonlyMap<number, string>): readonly Edit[] | undefined {
  const { contents } = parseDocument(text, FORM);
  const rules: unknown = isMap(contents) ? contents.get('rules', true) : undefined;
  if (!isSeq(rules)) return undefined;
  const edits: Edit[] = [];
  for (const [index, condition] of [...conditions].toSorted(([a], [b]) => a - b)) {
    const rule = rules.items[index];
    const edit = isMap(rule) ? editRule(text, rule, condition) : undefined;
    if (edit === undefined) return undefined;
    edits.push(edit);
  }
  return edits;
}

export function applyEdits(text: string, edits: readonly Edit[]): string {
  let after = '';
  let at = 0;
  for (const edit of edits) {
    after += text.slice(at, edit.start) + edit.text;
    at = edit.end;
  }
  return after + text.slice(at);
}

export interface Replacement {
  /** The places among `rules:` of those that stay. */
  readonly kept: ReadonlySet<number>;
  /** What comes behind them. */
  readonly added: readonly JsonObject[];
  /** Keys of the configuration that go. */
  readonly without: readonly string[];
}

/**
 * `text` with other rules: comments, order and the form of values of all that stays are kept, indentation and line breaks
 * within it may change. Nothing where the text has no place for them. As with `editConditions`, the caller parses and compares.
 */
export function replaceRules(text: string, { kept, added, without }: Replacement): string | undefined {
  const document = parseDocument(text, FORM);
  const { contents } = document;
  if (!isMap(contents)) return undefined;
  const written: unknown = contents.get('rules', true);
  const rules = isSeq(written) ? written : new YAMLSeq();
  rules.items = rules.items.filter((_, index) => kept.has(index));
  // What is added may hold any text, which only `yamlText` makes harmless: until then its place is held.
  let held = 'rules-come-here';
  while (text.includes(held)) held += '-';
  if (added.length > 0) rules.items.push(document.createNode(held));
  rules.flow = rules.items.length === 0;
  if (rules !== written) document.set('rules', rules);
  for (const key of without) document.delete(key);
  const rest = textOf(document);
  const [line = '', indent = ''] = new RegExp(`^( *)- ${held}\\n`, 'mu').exec(rest ?? '') ?? [];
  if (rest === undefined || added.length === 0) return rest;
  if (line === '') return undefined;
  const lines = yamlText(added).replaceAll(/^/gmu, indent).trimEnd();
  return rest.replace(line, () => `${lines}\n`);
}

/** Nothing when an alias stays whose anchor is gone. */
function textOf(document: ReturnType<typeof parseDocument>): string | undefined {
  try {
    return document.toString({ lineWidth: 0 });
  } catch {
    return undefined;
  }
}

function editRule(text: string, rule: YAMLMap, condition: string): Edit | undefined {
  const named = (test: (name: unknown) => boolean): Pair | undefined =>
    rule.items.find(({ key }) => isScalar(key) && test(key.value));
  const when = named((name) => name === 'when');
  if (when !== undefined) return isScalar(when.value) ? replaced(text, when.value, condition) : undefined;
  const effect = named((name) => EFFECTS.has(String(name)));
  return effect === undefined ? undefined : added(text, rule, effect, condition);
}

function replaced(text: string, scalar: Scalar, condition: string): Edit | undefined {
  const [start = 0, end = 0] = scalar.range ?? [];
  if (scalar.type !== 'BLOCK_LITERAL' && scalar.type !== 'BLOCK_FOLDED') return { start, end, text: quoted(condition) };
  // The header stays, and with it a comment there; so do blank lines at the end.
  const first = text.indexOf('\n', start) + 1;
  const body = text.slice(first, end).trimEnd();
  const indent = /^(?:[^\S\n]*\n)*( *)/u.exec(body)?.[1] ?? '';
  if (first === 0 || body === '') return undefined;
  // A folded line ends at an empty one.
  const separator = scalar.type === 'BLOCK_FOLDED' ? `${endOfLine(text)}${endOfLine(text)}` : endOfLine(text);
  const lines = condition.split('\n').map((line) => (line === '' ? '' : `${indent}${line}`));
  return { start: first, end: first + body.length, text: lines.join(separator) };
}

/** `when` behind the effect: in braces beside it, else on a line of its own. */
function added(text: string, rule: YAMLMap, effect: Pair, condition: string): Edit | undefined {
  const { key, value } = effect;
  if (!isScalar(key) || !isScalar(value)) return undefined;
  const behind = value.range?.[1] ?? 0;
  const addition = `when: ${quoted(condition)}`;
  if (rule.flow === true) return { start: behind, end: behind, text: `, ${addition}` };
  const begin = key.range?.[0] ?? 0;
  const indent = begin - (text.lastIndexOf('\n', begin - 1) + 1);
  const newline = text.indexOf('\n', behind);
  const line = newline === -1 ? text.length : newline - (text[newline - 1] === '\r' ? 1 : 0);
  return { start: line, end: line, text: `${endOfLine(text)}${' '.repeat(indent)}${addition}` };
}

function endOfLine(text: string): string {
  return text.includes('\r\n') ? '\r\n' : '\n';
}

function quoted(text: string): string {
  return INVISIBLE.test(text) ? JSON.stringify(text) : `'${text.replaceAll("'", "''")}'`;
}
