/** The arguments of a call as its entry holds them: which are sealed, erased, secret, or real paths. Pure. */

import type { JsonValue } from '../../value/json.ts';
import { type Element, type Html, el, narrowTable, row } from './element.ts';
import { isFields, memberOf, textIn } from './fields.ts';
import { jsonLine, jsonText, plain, tail } from './say.ts';
import type { ToldDecision } from './told.ts';

/** As many arguments as are listed one by one. */
const ARGUMENTS_MAX = 64;
const SUMMARY_MAX = 80;

interface Mark {
  readonly pointer: string;
  readonly kind: 'sealed' | 'secret';
  /** The commitment, or the kind of secret. */
  readonly what: string;
}

/** Everything in `value` that stands for something that the log does not hold, by its JSON pointer. */
function* marksIn(value: JsonValue | undefined, pointer = ''): Generator<Mark> {
  const sealed = textIn(value, '$sealed') ?? textIn(value, '$body');
  const secret = textIn(value, '$secret');
  if (sealed !== undefined) yield { pointer, kind: 'sealed', what: sealed };
  else if (secret !== undefined) yield { pointer, kind: 'secret', what: secret };
  else if (Array.isArray(value)) {
    for (const [index, item] of (value as readonly JsonValue[]).entries()) yield* marksIn(item, `${pointer}/${index}`);
  } else if (isFields(value)) {
    const inner = memberOf(value, '$lit');
    const members = isFields(inner) ? inner : value;
    for (const [name, member] of Object.entries(members)) yield* marksIn(member, `${pointer}/${step(name)}`);
  }
}

function step(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}

/** What the arguments come to on one line. */
export function argumentLine(args: JsonValue | undefined): string {
  return args === undefined ? '' : jsonLine(args, SUMMARY_MAX, placeholder);
}

/** Without quotes, so that no text can pass for it. */
function placeholder(value: JsonValue): string | undefined {
  if (textIn(value, '$secret') !== undefined) return 'secret';
  return textIn(value, '$sealed') === undefined && textIn(value, '$body') === undefined ? undefined : 'sealed';
}

/** `clauses`: the conditions that decided, whose arguments are marked. */
export function argumentTable(
  args: JsonValue | undefined,
  told: ToldDecision | undefined,
  clauses: readonly string[],
): Html {
  const whole = textIn(args, '$body');
  if (whole !== undefined) return el('p', {}, chipsOf([{ pointer: '', kind: 'sealed', what: whole }], told));
  if (!isFields(args)) return el('p', {}, args === undefined ? 'none recorded' : el('code', {}, jsonText(args)));
  const names = Object.keys(args);
  if (names.length === 0) return el('p', {}, 'none');
  const rows = names.slice(0, ARGUMENTS_MAX).map((name) => {
    const value = args[name];
    const pointer = `/${step(name)}`;
    const paths = told?.paths?.filter((path) => path === pointer || path.startsWith(`${pointer}/`)) ?? [];
    const notes = [
      ...chipsOf([...marksIn(value, pointer)], told),
      ...(paths.length === 0 ? [] : [el('span', { class: 'chip' }, 'real path')]),
      ...(clauses.some((clause) => reads(clause, name)) ? [el('span', { class: 'chip' }, 'read by the rule')] : []),
    ];
    return row(el('code', {}, plain(name)), el('code', { class: 'value' }, jsonText(value ?? null)), notes);
  });
  const left = names.length - rows.length;
  return el(
    'div',
    {},
    narrowTable('Arguments', ['name', 'value', 'note'], rows),
    left > 0 ? el('p', {}, `and ${left} more arguments`) : undefined,
  );
}

function chipsOf(marks: readonly Mark[], told: ToldDecision | undefined): readonly Element[] {
  return marks.map(({ pointer, kind, what }) => {
    if (kind === 'secret') return el('span', { class: 'chip' }, `secret: ${plain(what)}`);
    const isGone = told?.gone?.includes(pointer) === true;
    const name = isGone ? 'erased' : 'sealed';
    return el('span', { class: isGone ? 'chip gone' : 'chip' }, `${name}, commitment ${tail(what)}`);
  });
}

/** Whether a condition names the argument. */
function reads(clause: string, name: string): boolean {
  if (!/^\w+$/u.test(name)) return clause.includes(JSON.stringify(name));
  return new RegExp(`\\bargs\\.${name}\\b|\\bargs\\["${name}"\\]`, 'u').test(clause);
}
