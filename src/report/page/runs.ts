/** The runs of programs that the entries of a report tell of: which steps each entered, and how it stands. Pure. */

import { entryMark } from './call.ts';
import { type Element, el, row, table } from './element.ts';
import { memberOf, numberIn, textIn, textsIn } from './fields.ts';
import { head, plain, timeOf } from './say.ts';
import type { Recorded, Story } from './story.ts';
import { part } from './tables.ts';

const MOVE = /^program\.(?:started|moved|ended)$/u;
/** Steps of a path that are shown. */
const PATH_MAX = 24;

export function runs({ events }: Story): Element {
  const moves = new Map<string, Recorded[]>();
  for (const event of events) {
    const id = MOVE.test(event.type) ? textIn(memberOf(event.fields, 'run'), 'id') : undefined;
    if (id !== undefined) moves.set(id, [...(moves.get(id) ?? []), event]);
  }
  const rows = [...moves].map(([id, of]) => runRow(id, of));
  if (rows.length === 0) return part('runs', 'Runs', el('p', {}, 'No program ran.'));
  const columns = ['run', 'program', 'began (UTC)', 'path', 'status', 'last entry'];
  return part('runs', 'Runs', table('Runs of programs', columns, rows));
}

/** Entries before the first of the page are not on it: then the path begins later. */
function runRow(id: string, moves: readonly Recorded[]): Element {
  const first = moves.find(({ type }) => type === 'program.started');
  const last = moves.at(-1);
  const name = textIn(first?.fields, 'name');
  const version = numberIn(first?.fields, 'version');
  const path = moves.flatMap(({ fields }) => textsIn(fields, 'steps'));
  const shown = path.slice(-PATH_MAX).map((step) => head(step, 64));
  const isCut = first === undefined || shown.length < path.length;
  return row(
    el('code', {}, plain(id)),
    name === undefined ? '' : `${plain(name)} of version ${plain(String(version ?? ''))}`,
    first === undefined ? '' : timeOf(first.at),
    [isCut ? '… → ' : '', shown.join(' → ')],
    plain(textIn(last?.fields, 'status') ?? ''),
    last === undefined ? '' : entryMark(last),
  );
}
