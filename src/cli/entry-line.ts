/** One entry of the log as a line a person can read: when, what happened, to which call of which tool, and why. */

import type { Entry } from '../ledger/entry.ts';
import { isRunType } from '../ledger/run.ts';
import { type JsonValue, isJsonObject } from '../value/json.ts';
import { isProposed, memberOf, textOf } from './entry-filter.ts';
import { type Terminal, inert, inertJson } from './terminal.ts';

type Colour = Terminal['colour'];

const POSITION_WIDTH = 5;
const TYPE_WIDTH = 'call.not-started'.length;
/** As much of a call's id as `log --call` needs. */
const CALL_TAIL = 8;
const ARGS_MAX = 96;
const RULES_MAX = 3;
const STEPS_MAX = 8;
const RED: ReadonlySet<Entry['type']> = new Set([
  'call.denied',
  'call.refused',
  'denial.repeated',
  'policy.refused',
  'kill.set',
  'clock.jumped',
]);
/** Who a host on stdio is when nothing else is said. */
const LOCAL = 'local';

export function lineOf(colour: Colour, position: number, entry: Entry): string {
  const call = textOf(entry['call']) ?? (isRunType(entry.type) ? textOf(memberOf(entry['run'], 'id')) : undefined);
  const rest = [
    call === undefined ? '' : colour.dim(`…${inert(call.slice(-CALL_TAIL))}`),
    inert(textOf(memberOf(entry['tool'], 'name')) ?? ''),
    ...details(entry).map(inert),
  ].filter((word) => word !== '');
  const when = colour.dim(`${String(position).padStart(POSITION_WIDTH)}  ${inert(entry.at)}`);
  const type = inert(entry.type);
  const shown = rest.length === 0 ? type : type.padEnd(TYPE_WIDTH);
  return [when, paint(colour, entry.type)(shown), ...rest].join('  ');
}

function details(entry: Entry): string[] {
  const { as, by, reason, message, policy, args, principal } = entry;
  const rules = memberOf(policy, 'rules');
  const proposed = isProposed(entry);
  if (isRunType(entry.type)) return moveSaid(entry);
  const said = [
    proposed ? textOf(memberOf(entry['run'], 'command')) : undefined,
    textOf(entry['content']),
    textOf(entry['event']),
    entry.type === 'program.ignored' ? textOf(entry['code']) : undefined,
    textOf(entry['target']) ?? textOf(entry['subject']) ?? textOf(entry['witness']),
    entry.type === 'key.added' || entry.type === 'key.revoked' ? textOf(entry['key']) : undefined,
    textOf(as),
    textOf(by),
    textOf(reason),
    textOf(message),
    textOf(memberOf(policy, 'code')),
    Array.isArray(rules) && rules.length > 0 ? `by ${rules.slice(0, RULES_MAX).map(String).join(', ')}` : undefined,
    entry.type === 'policy.loaded' ? textOf(entry['digest']) : undefined,
    textOf(entry['reload']) ?? textOf(entry['exception']),
    ...shadowSaid(memberOf(policy, 'shadow')),
    ...shadowSaid(entry['shadow']),
    ...repeatedSaid(entry),
    proposed && principal !== LOCAL ? `for ${textOf(principal) ?? ''}` : undefined,
    proposed && isJsonObject(args) ? shorten(inertJson(args)) : undefined,
    entry.type === 'clock.jumped'
      ? `by ${Number(entry['byMs'])} ms: the wall clock said ${textOf(entry['wall']) ?? ''}`
      : undefined,
    // Whoever has to answer it needs the whole id.
    entry.type === 'call.unknown' ? `settle it as ${textOf(entry['call']) ?? ''}` : undefined,
    entry.type === 'call.parked' ? `approve it as ${textOf(entry['call']) ?? ''}` : undefined,
  ];
  return said.filter((one) => one !== undefined && one !== '') as string[];
}

/** A move of a run: what moved it, where it stands, and the steps that it entered. */
function moveSaid({ type, name, version, event, status, steps, because, failure }: Entry): string[] {
  const path: readonly JsonValue[] = Array.isArray(steps) ? steps : [];
  const entered = path.slice(0, STEPS_MAX).map((step) => textOf(step) ?? '');
  const said = [
    type === 'program.started' ? `${textOf(name) ?? ''} of version ${Number(version)}` : undefined,
    [textOf(memberOf(event, 'kind')), textOf(memberOf(event, 'command'))]
      .filter((word) => word !== undefined)
      .join(' '),
    textOf(memberOf(event, 'end')) ?? textOf(memberOf(event, 'answer')) ?? textOf(memberOf(event, 'as')),
    textOf(status),
    entered.length === 0 ? undefined : `→ ${entered.join(' → ')}${path.length > STEPS_MAX ? ' → …' : ''}`,
    textOf(because) ?? textOf(memberOf(failure, 'message')),
  ];
  return said.filter((one) => one !== undefined && one !== '') as string[];
}

/** What was denied beside the entries of its kind, how often, and when. */
function repeatedSaid({ type, code, count, first, last, tools, toolsMore, principal }: Entry): string[] {
  if (type !== 'denial.repeated') return [];
  const listed: readonly JsonValue[] = Array.isArray(tools) ? tools : [];
  const names = listed.map((name) => textOf(name) ?? '');
  const of = [...names.slice(0, RULES_MAX), ...(names.length > RULES_MAX || toolsMore === true ? ['…'] : [])];
  return [
    `${Number(count).toLocaleString('en-US')} more ${textOf(code) ?? ''}`,
    of.join(', '),
    `from ${textOf(first) ?? ''} to ${textOf(last) ?? ''}`,
    principal === LOCAL ? '' : `for ${textOf(principal) ?? ''}`,
  ];
}

/** What a shadow would have answered, where that is something else; or why there is none. */
function shadowSaid(shadow: JsonValue | undefined): string[] {
  const effect = textOf(memberOf(shadow, 'effect'));
  const error = textOf(memberOf(shadow, 'error'));
  if (error !== undefined) return [`shadow: ${error}`];
  if (effect === undefined) return [];
  const rules = memberOf(shadow, 'rules');
  const by = Array.isArray(rules) && rules.length > 0 ? ` by ${rules.slice(0, RULES_MAX).map(String).join(', ')}` : '';
  return [`shadow: ${effect} (${textOf(memberOf(shadow, 'code')) ?? ''})${by}`];
}

function shorten(json: string): string {
  const characters = [...json];
  return characters.length <= ARGS_MAX ? json : `${characters.slice(0, ARGS_MAX - 1).join('')}…`;
}

function paint(colour: Colour, type: Entry['type']): (text: string) => string {
  if (RED.has(type)) return colour.red;
  if (type === 'call.unknown' || type === 'call.parked') return colour.yellow;
  return type.startsWith('call.') ? colour.green : colour.cyan;
}
