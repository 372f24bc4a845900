/** The whole of a report as elements, made of its evidence and of what was told beside it: in a command, and in the page. Pure. */

import { digestOfBytes, utf8 } from '../../ledger/verify/page.ts';
import { spendingsOf } from './budget.ts';
import { type Around, callList, callPlace, tookOf } from './call.ts';
import { type Element, el, linkTo, narrowTable, row, table, terms } from './element.ts';
import { embedded } from './embedded.ts';
import { type Figures, figuresOf } from './figures.ts';
import { KINDS, type Kind, STATE_ORDER, kindOf, stateName } from './meaning.ts';
import { barsOver, binsOf, stepsOver, total } from './plot.ts';
import { policyTexts } from './rules.ts';
import { count, counted, instant, plain, span, timeOf } from './say.ts';
import { runs } from './runs.ts';
import { type Story, storyOf } from './story.ts';
import { approvals, denials, others, part, personal, risks, unknowns } from './tables.ts';
import type { Told } from './told.ts';

/** What a report is made of: a bundle, as `ledger/bundle` formats it. */
export interface Evidence {
  readonly key: string;
  readonly checkpoint: string;
  readonly entries: readonly { readonly position: number; readonly leaf: string }[];
}

/** The parts of the page that are compared, by the ids of the elements that they are. */
export interface Body {
  readonly title: string;
  readonly head: Element;
  readonly main: Element;
  readonly foot: Element;
}

const PLOTS_MAX = 12;
const POINTS_MAX = 400;

export function bodyOf(evidence: Evidence, told: Told): Body {
  const story = storyOf(evidence.entries);
  const figures = figuresOf(story);
  const around: Around = { told, policyOf: policyTexts(story) };
  const parts = [
    summary(story, figures, told),
    timeline(story),
    part('calls', 'Calls', filters(story), ...callList(story.calls, around)),
    runs(story),
    denials(story, around),
    approvals(story),
    unknowns(story),
    budgets(story, around),
    risks(story),
    personal(story),
    others(story),
    evidencePart(evidence, told),
  ];
  const title = titleOf(story, told);
  return {
    title: `${title} — Interlock report`,
    head: headOf(title, story, figures, told),
    main: el('main', { id: 'main', tabindex: '-1' }, parts),
    foot: footOf(told),
  };
}

function titleOf({ calls }: Story, { of }: Told): string {
  if (of === undefined) return 'The whole log';
  const isRun = calls.some(({ session, step }) => session === of && step !== '');
  return `${calls.some(({ id }) => id === of) ? 'Call' : isRun ? 'Run' : 'Session'} ${plain(of)}`;
}

const SECTIONS: readonly (readonly [id: string, name: string])[] = [
  ['summary', 'Summary'],
  ['timeline', 'Timeline'],
  ['calls', 'Calls'],
  ['runs', 'Runs'],
  ['denials', 'Denials'],
  ['approvals', 'Approvals'],
  ['unknowns', 'Unknown'],
  ['budgets', 'Budgets'],
  ['risks', 'Risks'],
  ['personal', 'Personal data'],
  ['events', 'Events'],
  ['evidence', 'Evidence'],
];

function headOf(title: string, { log }: Story, { from, to }: Figures, told: Told): Element {
  const items = SECTIONS.map(([id, name]) => el('li', {}, linkTo(id, name)));
  return el(
    'header',
    { id: 'head' },
    el('p', { class: 'brand' }, 'Interlock report'),
    el('h1', {}, title),
    el(
      'p',
      { class: 'sub' },
      timeOf(from),
      ' to ',
      timeOf(to),
      ' UTC',
      el('br', {}),
      'log ',
      el('code', {}, plain(log)),
    ),
    verdict(told),
    el('nav', { 'aria-label': 'Parts of the report' }, el('ul', {}, items)),
  );
}

function verdict({ log, at }: Told): Element {
  const when = `${instant(Date.parse(at))} UTC`;
  if (log.verdict === 'ok') {
    const text = `When this page was written, ${when}, the whole log of ${counted(log.entries, 'entry')} verified.`;
    return el('p', { class: 'verdict ok' }, text);
  }
  const items = log.problems.map(({ entry, code, message }) => {
    const where = entry === undefined ? 'log' : `entry ${count(entry)}`;
    return el('li', {}, `${where}: ${plain(message)} `, el('code', {}, plain(code)));
  });
  const more = log.omitted > 0 ? el('p', {}, `and ${counted(log.omitted, 'further problem')}`) : undefined;
  return el(
    'div',
    { class: 'verdict bad' },
    el(
      'p',
      {},
      el('strong', {}, 'This log does not verify. '),
      `Something in it is not what was recorded (found ${when}). `,
    ),
    el('p', {}, 'What follows is what the log says now; do not rely on it.'),
    el('ul', {}, items),
    more,
  );
}

function summary({ calls }: Story, figures: Figures, told: Told): Element {
  const of = (kind: Kind): number => calls.filter(({ state }) => kindOf(state) === kind).length;
  const tiles: readonly (readonly [string, number, string])[] = [
    ['calls', figures.calls, 'plain'],
    ['done', of('done'), 'done'],
    ['denied', of('denied'), 'denied'],
    ['failed or not sent', of('failed'), 'failed'],
    ['unknown', of('unknown'), 'unknown'],
    ['waiting or running', of('open'), 'open'],
  ];
  const shown = tiles.map(([name, n, kind]) =>
    el('div', { class: `tile ${kind}${n === 0 ? ' none' : ''}` }, el('dt', {}, name), el('dd', {}, count(n))),
  );
  const states = STATE_ORDER.flatMap((state) => {
    const n = figures.states[state];
    return n === undefined ? [] : [row(stateName(state), count(n))];
  });
  const took = calls.flatMap((call) => tookOf(call) ?? []).sort((a, b) => a - b);
  const { allow, ask, deny } = figures.decisions;
  return part(
    'summary',
    'Summary',
    el('dl', { class: 'tiles' }, shown),
    leftOut(told),
    el(
      'div',
      { class: 'columns' },
      states.length === 0 ? undefined : narrowTable('How the calls ended', ['state', 'calls'], states),
      terms([
        ['decisions', `${count(allow)} allowed, ${count(ask)} asked a person, ${count(deny)} denied`],
        ['denied and only counted', figures.counted === 0 ? undefined : count(figures.counted)],
        ['approvals given', count(figures.approvals)],
        ['tools', count(figures.tools)],
        ['principals', count(figures.principals)],
        ['sessions', count(figures.sessions)],
        ['time', span(Math.max(0, figures.to - figures.from))],
        ['tools answered in', took.length === 0 ? undefined : quantiles(took)],
      ]),
    ),
  );
}

function quantiles(sorted: readonly number[]): string {
  const at = (part: number): number => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0;
  return `${span(at(0.5))} (median), ${span(at(0.99))} (99 of 100)`;
}

/** What the page has no room for, so that nobody takes its figures for those of everything. */
function leftOut({ left }: Told): Element | undefined {
  const { allow = 0, ask = 0, deny = 0 } = left.decisions;
  const decisions = allow + ask + deny;
  if (decisions === 0 && left.events === 0) return undefined;
  const told = [
    ...(decisions === 0
      ? []
      : [
          `${counted(decisions, 'earlier decision')} (${count(allow)} allowed, ${count(ask)} asked, ${count(deny)} denied)`,
        ]),
    ...(left.events === 0 ? [] : [`${counted(left.events, 'earlier event')} about no single call`]),
  ];
  const text = `This page holds the last ones only. Not on it, and in none of its figures: ${told.join(' and ')}.`;
  return el('p', { class: 'left' }, text);
}

function timeline({ calls }: Story): Element {
  const bins = binsOf(calls);
  if (bins.length < 2) return part('timeline', 'Timeline', el('p', {}, 'Too little time passed to draw it.'));
  const kinds = Object.keys(KINDS) as Kind[];
  const found = kinds.filter((kind) => bins.some(({ counts }) => counts[kind] > 0));
  const legend = found.map((kind) =>
    el('li', { class: kind }, el('span', { 'aria-hidden': 'true', class: 'swatch' }), ` ${KINDS[kind].name}`),
  );
  const full = bins.filter(({ counts }) => total(counts) > 0);
  const rows = full.map(({ from, counts }) =>
    row(timeOf(Math.round(from)), ...found.map((kind) => count(counts[kind]))),
  );
  const names = found.map((kind) => KINDS[kind].name);
  const step = span(Math.round((bins[0]?.to ?? 0) - (bins[0]?.from ?? 0)));
  return part(
    'timeline',
    'Timeline',
    el(
      'figure',
      {},
      barsOver(bins, 'Calls over time by how they ended; the table below has the same figures.'),
      el('ul', { class: 'legend' }, legend),
      el('figcaption', {}, `Calls in each ${step}, by how they ended.`),
    ),
    el(
      'details',
      { class: 'fold' },
      el('summary', {}, 'The same as a table'),
      table('Calls over time', ['from (UTC)', ...names], rows),
    ),
  );
}

function choice(id: string, name: string, n: number): Element {
  const attributes = { type: 'radio', name: 'show', id: `show-${id}`, ...(id === 'all' ? { checked: '' } : {}) };
  return el('label', {}, el('input', attributes), ` ${name} (${count(n)})`);
}

/** Radio buttons that hide calls by style alone: nothing of the page changes. */
function filters({ calls }: Story): Element | undefined {
  const kinds = (Object.keys(KINDS) as Kind[]).filter((kind) => calls.some(({ state }) => kindOf(state) === kind));
  if (kinds.length < 2) return undefined;
  return el(
    'fieldset',
    { class: 'filters' },
    el('legend', {}, 'Show'),
    choice('all', 'all', calls.length),
    ...kinds.map((kind) => choice(kind, KINDS[kind].name, calls.filter(({ state }) => kindOf(state) === kind).length)),
  );
}

function budgets(story: Story, { policyOf }: Around): Element {
  const all = spendingsOf(story, policyOf);
  if (all.length === 0) return part('budgets', 'Budgets', el('p', {}, 'No call was charged to a budget.'));
  const byPosition = new Map(
    story.calls.flatMap((call) => call.entries.map((entry) => [entry.position, call] as const)),
  );
  const plots = all.slice(0, PLOTS_MAX).map(({ name, scope, unit, limit, points, isRolling }) => {
    const shown = points.slice(-POINTS_MAX);
    const last = shown.at(-1)?.spent ?? 0;
    const title = `${plain(name)} for ${plain(scope)}`;
    const state = `${count(last)} ${plain(unit)} counted${limit === undefined ? '' : ` of ${count(limit)}`} at the end`;
    const rows = shown.map(({ at, position, spent, what }) => {
      const call = byPosition.get(position);
      return row(
        timeOf(at),
        count(spent),
        plain(what),
        call === undefined ? '' : linkTo(callPlace(call), count(call.nth)),
      );
    });
    const label = `${title} over time, ${state}; the table below has the same figures.`;
    return el(
      'div',
      { class: 'budget' },
      el('h3', {}, title),
      el(
        'figure',
        {},
        stepsOver(points, limit, label),
        el('figcaption', {}, `${state}.${isRolling ? ' Its window moves with the time.' : ''}`),
      ),
      el(
        'details',
        { class: 'fold' },
        el('summary', {}, 'The same as a table'),
        points.length > shown.length
          ? el('p', {}, `The last ${count(shown.length)} of ${counted(points.length, 'change')}.`)
          : undefined,
        table(title, ['when (UTC)', 'counted', 'what', 'call'], rows),
      ),
    );
  });
  const more =
    all.length > PLOTS_MAX ? el('p', {}, `and ${counted(all.length - PLOTS_MAX, 'further budget')}`) : undefined;
  return part('budgets', 'Budgets', ...plots, more);
}

function evidencePart({ key, checkpoint, entries }: Evidence, told: Told): Element {
  const { log } = told;
  const [origin = '', size = '', root = ''] = checkpoint.split('\n');
  return part(
    'evidence',
    'Evidence',
    el(
      'p',
      {},
      `This file holds ${counted(entries.length, 'entry')} of the log as they were recorded, each with the proof that it is in the tree that the log signed. `,
      'The button at the top checks these proofs and the signature, makes the page again from the entries, and compares it with what is shown.',
    ),
    terms([
      ['log', el('code', {}, plain(origin))],
      ['signed size', plain(size)],
      ['signed root', el('code', {}, plain(root))],
      ['key', el('code', {}, plain(key))],
      ['also signed by', cosigners(key, checkpoint)],
      // So that nothing of it can change unseen, shown or not.
      ['told beside it', el('code', {}, digestOfBytes(utf8(embedded(told))))],
      ['not signed', log.unsigned === 0 ? undefined : counted(log.unsigned, 'entry')],
    ]),
    el('h3', {}, 'What the button shows, and what not'),
    el(
      'ul',
      {},
      el(
        'li',
        {},
        'That every word and figure of this page is what the signed entries say, but for what is listed next.',
      ),
      el(
        'li',
        {},
        'Not in any entry, and the word of who wrote the page: how the clauses of rules went and whether a decision comes out again, ',
        'which sealed values are gone, which arguments are real paths, what was left out, and that the whole log verified.',
      ),
      el('li', {}, 'Not that nothing else was recorded: which calls are here, the maker of the page chose.'),
      el(
        'li',
        {},
        'Not whose key it is: compare it with the one you know. And somebody who rewrites the page can rewrite its button: ',
      ),
      el(
        'li',
        {},
        el('code', {}, 'interlock verify FILE --key KEY'),
        ' checks this file without running anything that is in it.',
      ),
    ),
  );
}

/** Whose other signatures the checkpoint has; who has no key of theirs has only their word. */
function cosigners(key: string, checkpoint: string): string | undefined {
  const names = checkpoint
    .split('\n')
    .flatMap((line) => (line.startsWith('\u2014 ') ? (line.split(' ')[1] ?? '') : []));
  const others = names.filter((name) => !key.startsWith(`${name}+`));
  return others.length === 0 ? undefined : `${others.map((name) => plain(name)).join(', ')} (not checked here)`;
}

function footOf({ version, at }: Told): Element {
  const text = `Written by Interlock ${plain(version)} at ${instant(Date.parse(at))} UTC. All times are UTC. `;
  return el('footer', { id: 'foot' }, el('p', {}, text, 'This page loads nothing and sends nothing.'));
}
