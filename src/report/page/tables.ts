/** The parts of the page that go through all calls with one question: denials, approvals, unknown outcomes, the rest. Pure. */

import { type Around, callPlace, entryMark, proposalOf, settling, stateChip } from './call.ts';
import { argumentLine } from './argument.ts';
import { type Content, type Element, el, linkTo, row, table } from './element.ts';
import { instantIn, memberOf, numberIn, numbersIn, textIn, textsIn } from './fields.ts';
import { eventName, meaningOf } from './meaning.ts';
import { aboutOf, risksIn } from './risk.ts';
import { count, counted, head, instant, plain, span, tail, timeOf, toolName } from './say.ts';
import { type CallStory, type Recorded, type Story, decisionIn, isDecision } from './story.ts';

/** As many links as stand behind one sign of a risk. */
const LINKS_MAX = 12;

function callLink(call: CallStory): Element {
  return linkTo(callPlace(call), `${count(call.nth)}: ${toolName(call.tool, 60)}`);
}

/** A part of the page under a heading of its own. */
export function part(id: string, title: string, ...content: readonly Content[]): Element {
  return el('section', { id, 'aria-labelledby': `${id}-title` }, el('h2', { id: `${id}-title` }, title), ...content);
}

/** Every call that was not let through, and why. */
export function denials({ calls }: Story, { told, policyOf }: Around): Element {
  const rows = calls.flatMap((call) =>
    call.entries
      .filter((entry) => isDecision(entry) && decisionIn(entry).effect === 'deny')
      .map((entry) => {
        const { code, rules, policy } = decisionIn(entry);
        const text = policyOf(textIn(policy, 'digest'));
        const because = rules.flatMap((id) => text?.rule(id)?.because ?? []);
        const failed = (told.decisions[entry.position]?.rules ?? [])
          .filter(({ rule }) => rules.length === 0 || rules.includes(rule))
          .flatMap(({ clauses }) => clauses.filter(({ result }) => result === rules.length > 0));
        return row(
          callLink(call),
          timeOf(entry.at),
          [el('code', {}, plain(code)), ` ${meaningOf(code) ?? ''}`],
          [
            rules.map((id) => plain(id)).join(', '),
            ...because.map((one) => el('p', { class: 'because' }, `“${plain(one)}”`)),
            ...failed.map(({ text: clause, result }) =>
              el('p', {}, el('code', {}, plain(clause)), ` is ${String(result)}`),
            ),
          ],
          el('code', {}, argumentLine(memberOf(entry.fields, 'args'))),
        );
      }),
  );
  if (rows.length === 0) return part('denials', 'Denials', el('p', {}, 'Nothing was denied.'));
  return part(
    'denials',
    'Denials',
    table('Denied calls', ['call', 'when (UTC)', 'code', 'rule and clause', 'arguments'], rows),
  );
}

/** Every question to a person, and what the answers were. */
export function approvals({ calls }: Story): Element {
  const rows = calls.flatMap((call) =>
    call.entries.flatMap((entry, index) => (entry.type === 'call.parked' ? [questionRow(call, entry, index)] : [])),
  );
  if (rows.length === 0) return part('approvals', 'Approvals', el('p', {}, 'No person was asked.'));
  const head = ['call', 'asked (UTC)', 'who may answer', 'answers', 'waited', 'state'];
  return part('approvals', 'Approvals', table('Questions to people', head, rows));
}

function questionRow(call: CallStory, parked: Recorded, index: number): Element {
  const approval = memberOf(parked.fields, 'approval');
  const later = call.entries.slice(index + 1);
  const next = later.findIndex(isDecision);
  const own = next === -1 ? later : later.slice(0, next);
  const given = own.filter(
    ({ type }) => type === 'call.approved' || type === 'call.refused' || type === 'call.expired',
  );
  const answers = given.map(({ type, fields }) => {
    const by = plain(textIn(fields, 'by') ?? '');
    if (type === 'call.expired') return el('p', {}, 'none in time');
    if (type === 'call.refused') return el('p', {}, `refused by ${by}: ${plain(textIn(fields, 'reason') ?? '')}`);
    return el('p', {}, `approved by ${by}, ${memberOf(fields, 'unsigned') === true ? 'unsigned' : 'signed'}`);
  });
  const quorum = numberIn(approval, 'quorum') ?? 1;
  const approvers = textsIn(approval, 'approvers').map((one) => plain(one));
  const end = next === -1 ? given.at(-1) : later[next];
  return row(
    callLink(call),
    timeOf(parked.at),
    `${count(quorum)} of ${approvers.length === 0 ? 'the approvers' : approvers.join(', ')}`,
    answers.length === 0 ? `none yet; until ${instant(instantIn(approval, 'expires'))} UTC` : answers,
    end === undefined ? '' : span(end.at - parked.at),
    stateChip(call),
  );
}

/** Calls of which nobody knows whether they happened, and those that were settled since. */
export function unknowns({ calls }: Story): Element {
  const found = calls.filter(({ entries }) => entries.some(({ type }) => type === 'call.unknown'));
  const rows = found.map((call) => {
    const unknown = call.entries.find(({ type }) => type === 'call.unknown');
    const settled = call.entries.filter(({ type }) => type === 'call.settled');
    const told = settled.map(({ fields }) => {
      const [as, by, reason] = [textIn(fields, 'as'), textIn(fields, 'by'), textIn(fields, 'reason')];
      return el('p', {}, `${plain(as ?? '')}, by ${plain(by ?? '')}: ${plain(reason ?? '')}`);
    });
    return row(
      callLink(call),
      unknown === undefined ? '' : timeOf(unknown.at),
      plain(textIn(unknown?.fields, 'reason') ?? ''),
      el('code', {}, argumentLine(memberOf(proposalOf(call)?.fields, 'args'))),
      told.length > 0 ? told : call.state === 'unknown' ? settling(call) : stateChip(call),
    );
  });
  if (rows.length === 0)
    return part('unknowns', 'Unknown outcomes', el('p', {}, 'Every call has a known end, or none yet.'));
  const head = ['call', 'since (UTC)', 'why', 'arguments', 'what became of it'];
  return part('unknowns', 'Unknown outcomes', table('Calls that may or may not have happened', head, rows));
}

const PERSONAL = /^(?:erasure|hold|key|disclosure)\./u;

/** Erasures, holds, disclosures and rotations of keys. */
export function personal({ events }: Story): Element {
  const rows = events.filter(({ type }) => PERSONAL.test(type)).map((event) => eventRow(event));
  if (rows.length === 0) {
    return part('personal', 'Personal data and erasures', el('p', {}, 'Nothing was erased, held or handed out.'));
  }
  const head = ['what', 'when (UTC)', 'details', 'entry'];
  return part('personal', 'Personal data and erasures', table('Erasures, holds, disclosures and keys', head, rows));
}

/** Told among the runs. */
const OF_RUN = /^program\.(?:content|started|moved|ended)$/u;

/** Everything else: policies, switches, clocks, the log itself. */
export function others({ events }: Story): Element {
  const about = events.filter(({ type }) => !PERSONAL.test(type) && type !== 'policy.content' && !OF_RUN.test(type));
  const rows = about.map((event) => eventRow(event));
  const head = ['what', 'when (UTC)', 'details', 'entry'];
  return part('events', 'What else happened', table('Policies, switches, clocks and the log', head, rows));
}

const DETAILS = [
  'target',
  'principal',
  'code',
  'first',
  'last',
  'subject',
  'by',
  'reason',
  'message',
  'digest',
  'to',
  'reload',
  'exception',
  'expires',
  'wall',
];
const NUMBERS = ['gapMs', 'byMs', 'behindMs', 'values', 'calls', 'epoch', 'count'];

function eventRow(event: Recorded): Element {
  const { fields, type } = event;
  const texts = DETAILS.flatMap((name) => {
    const value = textIn(fields, name);
    return value === undefined ? [] : [`${name} ${plain(name === 'digest' ? tail(value) : value)}`];
  });
  const numbers = NUMBERS.flatMap((name) => {
    const value = numbersIn({ fields }, 'fields').get(name);
    if (value === undefined) return [];
    return [name.endsWith('Ms') ? `${name.slice(0, -2)} ${span(Math.abs(value))}` : `${name} ${count(value)}`];
  });
  const tool = textIn(memberOf(fields, 'tool'), 'name');
  const details = [...(tool === undefined ? [] : [plain(tool)]), ...texts, ...numbers].join('; ');
  return row(plain(eventName(type)), timeOf(event.at), details, entryMark(event));
}

/** The agentic risks that entries show, and no other. */
export function risks(story: Story): Element {
  const found = risksIn(story.entries);
  const byCall = new Map(story.calls.map((call) => [call.id, call]));
  const rows = found.flatMap(({ id, name, signs }) =>
    signs.map(({ shows, entries }) =>
      row(`${id} ${name}`, shows, counted(entries.length, 'entry'), [
        ...entries.slice(0, LINKS_MAX).map((entry) => el('span', { class: 'evidence' }, linkOf(entry, byCall))),
        entries.length > LINKS_MAX ? `and ${count(entries.length - LINKS_MAX)} more` : undefined,
      ]),
    ),
  );
  const source = 'https://genai.owasp.org/resource/owasp-top-10-for-agentic-applications-for-2026/';
  const note = el(
    'p',
    { class: 'note' },
    'By the OWASP Top 10 for Agentic Applications 2026 (',
    el('span', { class: 'address' }, source),
    '). A risk is listed only where entries show a sign of it. That one is not listed means that no entry here shows it, not that it is absent.',
  );
  if (rows.length === 0) return part('risks', 'Agentic risks', note, el('p', {}, 'No entry shows a sign of any.'));
  return part(
    'risks',
    'Agentic risks',
    note,
    table('Risks by what shows them', ['risk', 'what shows it', 'how many', 'where'], rows),
  );
}

function linkOf(entry: Recorded, byCall: ReadonlyMap<string, CallStory>): Element {
  const call = byCall.get(textIn(entry.fields, 'call') ?? '');
  if (call !== undefined) return linkTo(callPlace(call), `${count(call.nth)} ${toolName(call.tool, 40)}`);
  return linkTo(`entry-${entry.position}`, head(aboutOf(entry), 40));
}
