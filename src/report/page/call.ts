/** The calls of the page: a line for each, and behind it what was asked, decided and done. Pure. */

import type { JsonValue } from '../../value/json.ts';
import { argumentLine, argumentTable } from './argument.ts';
import { type Content, type Element, type Html, el, terms } from './element.ts';
import { instantIn, memberOf, numbersIn, textIn, textsIn } from './fields.ts';
import { KINDS, kindOf, meaningOf, stateName } from './meaning.ts';
import type { PolicyText } from './rules.ts';
import { count, instant, jsonText, plain, span, tail, timeOf, toolName } from './say.ts';
import { type CallStory, type Recorded, decisionIn, isDecision } from './story.ts';
import type { Told, ToldDecision, ToldRule } from './told.ts';

/** Calls that lie in one fold of the page. */
const FOLD = 100;
const FACTS_MAX = 24;

/** What the calls are shown with. */
export interface Around {
  readonly told: Told;
  readonly policyOf: (digest: string | undefined) => PolicyText | undefined;
}

/** Where the details of a call stand: links to it open the fold that it lies in. */
export function callPlace({ nth }: CallStory): string {
  return `call-${nth}`;
}

export function callList(calls: readonly CallStory[], around: Around): readonly Element[] {
  if (calls.length === 0) return [el('p', {}, 'No call was made.')];
  if (calls.length <= FOLD) return [listOf(calls, around)];
  const folds: Element[] = [];
  for (let from = 0; from < calls.length; from += FOLD) {
    const part = calls.slice(from, from + FOLD);
    const [first, last] = [part[0], part.at(-1)];
    const name = `Calls ${count(first?.nth ?? 0)} to ${count(last?.nth ?? 0)}`;
    const when = first === undefined ? '' : ` from ${instant(first.entries[0]?.at ?? 0)} UTC on`;
    const attributes = { class: 'fold', ...(from === 0 ? { open: '' } : {}) };
    folds.push(el('details', attributes, el('summary', {}, el('span', {}, name), when), listOf(part, around)));
  }
  return folds;
}

function listOf(calls: readonly CallStory[], around: Around): Element {
  return el(
    'ol',
    { class: 'calls', start: String(calls[0]?.nth ?? 1) },
    calls.map((call) => item(call, around)),
  );
}

function item(call: CallStory, around: Around): Element {
  const kind = kindOf(call.state);
  const [first] = call.entries;
  const args = memberOf(proposalOf(call)?.fields, 'args');
  return el(
    'li',
    { class: `call ${kind}` },
    el(
      'details',
      {},
      el(
        'summary',
        {},
        el('span', { class: 'nth' }, count(call.nth)),
        ' ',
        el('span', { class: 'when' }, first === undefined ? '' : timeOf(first.at, 'time')),
        ' ',
        el('span', { class: 'what' }, el('b', {}, toolName(call.tool)), ' ', el('code', {}, argumentLine(args))),
        ' ',
        stateChip(call),
      ),
      // Named inside of the fold, so that a link to it opens the fold.
      el('div', { id: callPlace(call), class: 'story' }, ...story(call, around)),
    ),
  );
}

/** The entry that says what was asked for. */
export function proposalOf({ entries }: CallStory): Recorded | undefined {
  return entries.find(isDecision);
}

export function stateChip({ state }: CallStory): Element {
  const kind = kindOf(state);
  return el(
    'span',
    { class: `state ${kind}` },
    el('span', { 'aria-hidden': 'true' }, KINDS[kind].sign),
    ` ${stateName(state)}`,
  );
}

function story(call: CallStory, around: Around): readonly Element[] {
  const parts: Element[] = [el('h3', {}, `Call ${count(call.nth)}: ${toolName(call.tool)}`), asked(call, around)];
  for (const entry of call.entries) {
    if (isDecision(entry)) parts.push(decided(entry, around));
    else parts.push(happened(call, entry, around));
  }
  return parts;
}

/** Where an entry stands in the log, and a place that findings can point at. */
export function entryMark({ position }: Recorded): Element {
  return el('span', { class: 'entry', id: `entry-${position}` }, `entry ${count(position)}`);
}

/** In which session or for which step of a run it was proposed. */
function placeOf({ session, step }: CallStory): string {
  if (session === '') return '';
  return step === '' ? `, session ${plain(session)}` : `, step ${plain(step)} of run ${plain(session)}`;
}

function asked(call: CallStory, { told }: Around): Element {
  const proposal = proposalOf(call);
  const tool = memberOf(proposal?.fields, 'tool');
  const [effect, definition] = [textIn(tool, 'effect'), textIn(tool, 'definition')];
  const about = textsIn(proposal?.fields, 'subject');
  const notes = proposal === undefined ? undefined : told.decisions[proposal.position];
  const clauses = (notes?.rules ?? []).filter(({ matched }) => matched).flatMap((rule) => rule.clauses);
  return el(
    'section',
    { class: 'step' },
    el('h4', {}, 'Asked'),
    terms([
      ['who', [plain(call.principal), placeOf(call)]],
      ['tool', [toolName(call.tool), effect === undefined ? '' : `, declared ${plain(effect)}`]],
      ['definition', definition === undefined ? undefined : el('code', {}, plain(definition))],
      ['call', el('code', {}, plain(call.id))],
      ['about', about.length === 0 ? undefined : `${about.map(tail).join(', ')} (a claim of the caller)`],
      ['probes', linkOf(proposal, 'probes')],
    ]),
    argumentTable(
      memberOf(proposal?.fields, 'args'),
      notes,
      clauses.map(({ text }) => text),
    ),
  );
}

function linkOf(entry: Recorded | undefined, name: string): Html | undefined {
  const id = textIn(entry?.fields, name);
  return id === undefined ? undefined : el('code', {}, plain(id));
}

const EFFECT_WORD: Readonly<Record<string, string>> = { allow: 'Allowed', ask: 'Asked a person', deny: 'Denied' };

function decided(entry: Recorded, { told, policyOf }: Around): Element {
  const { effect, code, rules, policy } = decisionIn(entry);
  const notes = told.decisions[entry.position];
  const text = policyOf(textIn(policy, 'digest'));
  const kind = effect === 'allow' ? 'done' : effect === 'ask' ? 'open' : 'denied';
  const approval = memberOf(entry.fields, 'approval');
  const meaning = meaningOf(code);
  return el(
    'section',
    { class: `step decision ${kind}` },
    el('h4', {}, `${EFFECT_WORD[effect] ?? plain(effect)}: `, el('code', {}, plain(code))),
    el('p', { class: 'moment' }, timeOf(entry.at), ' UTC, ', entryMark(entry)),
    meaning === undefined ? undefined : el('p', {}, `${meaning[0]?.toUpperCase() ?? ''}${meaning.slice(1)}.`),
    ruleList(rules, text, notes),
    terms([
      ['asks', approval === undefined ? undefined : question(approval)],
      ['takes', numberList(numbersIn(policy, 'reserved'))],
      ['had been counted', numberList(numbersIn(policy, 'facts'))],
      ['set aside by', exceptionsOf(policy)],
      ['shadow policy', shadowOf(memberOf(policy, 'shadow'))],
      ['decided again', again(notes)],
      ['policy', linkOf({ ...entry, fields: { digest: textIn(policy, 'digest') ?? '' } }, 'digest')],
    ]),
  );
}

function ruleList(
  rules: readonly string[],
  text: PolicyText | undefined,
  notes: ToldDecision | undefined,
): Element | undefined {
  const told = new Map((notes?.rules ?? []).map((rule) => [rule.rule, rule]));
  const ids = [...new Set([...rules, ...told.keys()])];
  if (ids.length === 0) return undefined;
  return el(
    'ul',
    { class: 'rules' },
    ids.map((id) => ruleItem(id, rules.includes(id), text, told.get(id))),
  );
}

const RULE_VERB: Readonly<Record<string, string>> = { allow: 'allows', ask: 'asks about', deny: 'denies' };

function ruleItem(id: string, decides: boolean, policy: PolicyText | undefined, told: ToldRule | undefined): Element {
  const written = policy?.rule(id);
  const effect = written?.effect ?? told?.effect;
  const clauses = (told?.clauses ?? []).map(({ text, result }) => {
    const name = result === 'error' ? 'error' : result ? 'true' : 'false';
    return el('li', { class: name }, el('code', {}, plain(text)), ` is ${name}`);
  });
  return el(
    'li',
    {},
    el(
      'b',
      {},
      `${decides ? 'Rule' : told?.matched === true ? 'Also matched: rule' : 'Not matched: rule'} ${plain(id)}`,
    ),
    effect === undefined ? '' : ` ${RULE_VERB[effect] ?? plain(effect)} ${plain(written?.tools ?? '')}`,
    written?.because === undefined ? undefined : el('p', { class: 'because' }, `“${plain(written.because)}”`),
    written?.when === undefined || clauses.length > 0
      ? undefined
      : el('p', {}, 'when ', el('code', {}, plain(written.when))),
    clauses.length === 0 ? undefined : el('ul', { class: 'clauses' }, clauses),
    told?.error === undefined ? undefined : el('p', {}, `Could not be evaluated: ${plain(told.error)}`),
  );
}

function question(approval: JsonValue | undefined): Content {
  const approvers = textsIn(approval, 'approvers').map((one) => plain(one));
  const quorum = numbersIn({ approval: approval ?? null }, 'approval').get('quorum') ?? 1;
  const expires = instantIn(approval, 'expires');
  return `${quorum} of ${approvers.length === 0 ? 'the approvers' : approvers.join(', ')}, until ${instant(expires)} UTC`;
}

/** Budgets and counts, by key; those of pins, which are in every decision, say nothing more than its definition. */
function numberList(numbers: ReadonlyMap<string, number>): Content {
  const shown = [...numbers].filter(([key]) => !key.startsWith('pin/'));
  const list = shown.slice(0, FACTS_MAX).map(([key, n]) => el('li', {}, el('code', {}, plain(key)), ` ${count(n)}`));
  if (shown.length > FACTS_MAX) list.push(el('li', {}, `and ${shown.length - FACTS_MAX} more`));
  return list.length === 0 ? undefined : el('ul', { class: 'numbers' }, list);
}

function exceptionsOf(policy: JsonValue | undefined): Content {
  const list = memberOf(policy, 'exceptions');
  const ids = Array.isArray(list) ? (list as readonly JsonValue[]).map((one) => textIn(one, 'id') ?? '') : [];
  return ids.length === 0 ? undefined : ids.map((id) => plain(id)).join(', ');
}

function shadowOf(shadow: JsonValue | undefined): Content {
  if (shadow === undefined) return undefined;
  const error = textIn(shadow, 'error');
  if (error !== undefined) return plain(error);
  const [effect, code] = [textIn(shadow, 'effect'), textIn(shadow, 'code')];
  return effect === undefined ? undefined : `would ${plain(effect)}: ${plain(code ?? '')}`;
}

function again(notes: ToldDecision | undefined): Content {
  if (notes === undefined) return undefined;
  const because = notes.because === undefined ? '' : `: ${plain(notes.because)}`;
  if (notes.again === 'same') return 'the same, from the log alone';
  if (notes.again === 'taken') return `taken as recorded${because}`;
  return el('span', { class: 'wrong' }, `not the same${because}`);
}

const NAMES: Readonly<Record<string, string>> = {
  'call.approved': 'Approved',
  'call.refused': 'Refused',
  'call.expired': 'Not approved in time',
  'call.not-started': 'Not started',
  'call.succeeded': 'Succeeded',
  'call.failed': 'Failed',
  'call.unknown': 'Unknown',
  'call.settled': 'Settled',
};

/** What came of a decision: an answer to its question, or the end of its attempt. */
function happened(call: CallStory, entry: Recorded, { told }: Around): Element {
  const { fields, type } = entry;
  const attempt = textIn(fields, 'attempt');
  const intent = call.entries.find((one) => one.type === 'call.intent' && textIn(one.fields, 'attempt') === attempt);
  const by = textIn(fields, 'by');
  const overrun = memberOf(fields, 'overrun');
  const isUnsigned = memberOf(fields, 'unsigned') === true;
  return el(
    'section',
    { class: 'step' },
    el('h4', {}, NAMES[type] ?? plain(type), type === 'call.settled' ? `: ${plain(textIn(fields, 'as') ?? '')}` : ''),
    el('p', { class: 'moment' }, timeOf(entry.at), ' UTC, ', entryMark(entry)),
    terms([
      ['by', by === undefined ? undefined : plain(by)],
      ['signature', type === 'call.approved' ? (isUnsigned ? 'none: unsigned' : 'Ed25519, in the entry') : undefined],
      ['reason', textIn(fields, 'reason') === undefined ? undefined : plain(textIn(fields, 'reason') ?? '')],
      ['took', intent === undefined || attempt === undefined ? undefined : span(entry.at - intent.at)],
      ['result', resultOf(entry, told)],
      ['charged', numberList(numbersIn(fields, 'charged'))],
      ['overrun', overrun === undefined ? undefined : el('code', {}, jsonText(overrun))],
    ]),
    type === 'call.unknown' && call.state === 'unknown' ? settling(call) : undefined,
  );
}

function resultOf({ fields, position }: Recorded, told: Told): Content {
  const output = memberOf(fields, 'output');
  const commitment = textIn(output, '$body');
  if (commitment === undefined) return output === undefined ? undefined : el('code', {}, jsonText(output));
  const isKept = memberOf(output, 'kept') !== false;
  const isGone = told.gone.includes(position);
  const name = isKept ? (isGone ? 'erased' : 'sealed') : 'not kept';
  return el('span', { class: isGone ? 'chip gone' : 'chip' }, `${name}, commitment ${plain(commitment)}`);
}

/** What a person can do about a call of which nobody knows whether it happened. */
export function settling({ id }: CallStory): Element {
  const command = `interlock settle ${plain(id)} executed|not-executed --reason TEXT`;
  return el('p', {}, 'Look at the other side, then say what happened: ', el('code', {}, command));
}

/** How long the tool took to answer, milliseconds; nothing where it did not. */
export function tookOf({ entries }: CallStory): number | undefined {
  const ended = entries.findLast(({ type }) => /^call\.(?:succeeded|failed)$/u.test(type));
  const intent = entries.find(
    ({ type, fields }) => type === 'call.intent' && textIn(fields, 'attempt') === textIn(ended?.fields, 'attempt'),
  );
  return ended === undefined || intent === undefined ? undefined : ended.at - intent.at;
}
