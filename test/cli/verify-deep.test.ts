/** `interlock verify --deep`: what it finds in a log whose hashes and signatures are right, and in its tables. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { signerFromSeed } from '../../src/ledger/signer.ts';
import type { JsonObject } from '../../src/value/json.ts';
import {
  type Approver,
  approver,
  entriesOf,
  openTampered,
  recordEverything,
  recordedPolicy,
  rewrite,
} from '../tampered-log.ts';
import { PLAIN, REPAIRED, TABLES, allowing, decided, placeOf } from '../tamperings.ts';
import { Scratch, json, run } from './command.ts';
import { copyData, tamper } from './recorded.ts';

const scratch = new Scratch();
const data = scratch.at('.interlock');
const ann: Approver = approver();

before(() => recordEverything(data, ann));
after(() => scratch[Symbol.dispose]());

interface Report {
  readonly code: number | null;
  readonly verdict: string;
  readonly problems: readonly { readonly code: string; readonly entry?: number; readonly message: string }[];
  readonly attested: number;
  readonly erased: number;
  readonly decided: number;
  readonly attestations: readonly { readonly entry: number; readonly why: string }[];
}

async function deep(directory: string, ...more: readonly string[]): Promise<Report> {
  const { code, out, err } = await run(['verify', directory, '--deep', '--json', ...more], { directory: scratch.path });
  assert.equal(err, '');
  return { ...(json(out) as unknown as Report), code };
}

const shown = ({ problems }: Report): string[] => problems.map(({ code, entry = -1 }) => `${code}@${entry}`);

test('an honest log is decided again, folded again, and is what its tables say [R-deep]', async () => {
  const found = await deep('.interlock');
  assert.deepEqual([found.code, found.verdict, found.problems], [0, 'ok', []]);
  const decisions = entriesOf(data).filter(({ type }) => /call\.(?:denied|parked|intent)/u.test(type));
  assert.deepEqual([found.decided, found.attested, found.erased], [decisions.length, 0, 0]);
  const { out } = await run(['verify', '--deep'], { directory: scratch.path });
  assert.match(out, /\n {2}\d+ decisions made again\n/u);
});

for (const { name, edit, repair, finds, at } of [...PLAIN, ...REPAIRED]) {
  test(`it finds ${name} [R-tampering]`, async () => {
    const copy = copyData(data, scratch.at('copy'));
    const entries = entriesOf(copy);
    rewrite(copy, edit(entries), repair);
    const found = await deep('copy');
    assert.equal(found.code, 1);
    const expected = at === undefined ? `${finds}@` : `${finds}@${at(entries)}`;
    assert.ok(
      shown(found).some((problem) => problem === expected || (at === undefined && problem.startsWith(expected))),
      shown(found).join(' '),
    );
  });
}

test('an edit that is covered up in every table is found by nothing but the decision it makes wrong [R-deep]', async () => {
  const copy = copyData(data, scratch.at('copy'));
  const entries = entriesOf(copy);
  rewrite(copy, allowing(entries), 'all');
  const { out } = await run(['verify', 'copy', '--json'], { directory: scratch.path });
  assert.equal(json(out)['verdict'], 'ok', 'every hash and every signature is right');
  const at = placeOf(entries, decided('no-rule'));
  const found = shown(await deep('copy'));
  assert.equal(found[0], `decision-wrong@${at}`);
  assert.ok(
    found.every((problem) => problem.startsWith('decision-')),
    found.join(' '),
  );
});

test('a log signed anew with another key is found by the key that was kept [R-tampering]', async () => {
  const { out } = await run(['verify', '--json'], { directory: scratch.path });
  scratch.write('key.txt', (json(out)['key'] as { readonly vkey: string }).vkey);
  const copy = copyData(data, scratch.at('copy'));
  rewrite(copy, entriesOf(copy), 'signed', signerFromSeed(new Uint8Array(32).fill(9)));
  assert.deepEqual(shown(await deep('copy')), ['checkpoint-signature@-1']);
  assert.deepEqual(shown(await deep('copy', '--key', 'key.txt')), ['checkpoint-signature@-1']);
});

test('a log rolled back to an older state is found by a checkpoint that was kept [R-tampering]', async () => {
  const { out } = await run(['verify', '--json'], { directory: scratch.path });
  scratch.write('outside.txt', String(json(out)['checkpoint']));
  const copy = copyData(data, scratch.at('copy'));
  const entries = entriesOf(copy);
  rewrite(copy, entries.slice(0, 8), 'all');
  tamper(copy, 'DELETE FROM bodies WHERE position > 7');
  assert.deepEqual(shown(await deep('copy')), [], 'nobody can tell without it');
  assert.deepEqual(shown(await deep('copy', '--checkpoint', 'outside.txt')), ['log-truncated@8']);
});

for (const [name, sql, finds] of TABLES) {
  test(`beside the log it finds ${name} [R-tampering]`, async () => {
    tamper(copyData(data, scratch.at('copy')), sql);
    const found = await deep('copy');
    assert.equal(found.code, 1);
    assert.ok(
      found.problems.every(({ code: each }) => each === finds) && found.problems.length > 0,
      shown(found).join(' '),
    );
  });
}

test('an export is decided again as far as it holds what was decided on [R-deep]', async () => {
  const around = { directory: scratch.path };
  assert.equal((await run(['export', '-o', scratch.at('export')], around)).code, 0);
  const [whole, found] = [await deep('.interlock'), await deep('export')];
  assert.deepEqual([found.code, found.decided, found.attested], [0, whole.decided - 1, 1]);
  const at = placeOf(
    entriesOf(data),
    ({ type, args }) => type === 'call.intent' && Object.hasOwn(args as JsonObject, '$body'),
  );
  assert.deepEqual(found.attestations, [{ entry: at, why: 'its arguments are gone' }]);
});

test('what was let go of is counted, and decisions on it are taken as recorded', async () => {
  const copy = copyData(data, scratch.at('copy'));
  const entries = entriesOf(copy);
  const last = entries.at(-1);
  assert.ok(last !== undefined);
  const expired = {
    v: 1,
    log: last.log,
    id: last.id,
    at: last.at,
    type: 'erasure.expired',
    before: '2100-01-01T00:00:00.000Z',
  };
  tamper(copy, 'DELETE FROM bodies');
  rewrite(copy, [...entries, expired], 'all');
  const found = await deep('copy');
  assert.deepEqual([found.code, found.problems], [0, []]);
  const sealed = entries.filter((entry) => JSON.stringify(entry).includes('"$body"')).length;
  assert.equal(found.erased, sealed);
});

test('it may look at a log while a gateway writes it', async () => {
  const live = copyData(data, scratch.at('live'));
  const { ledger, call } = await openTampered(live, recordedPolicy(ann.key));
  await using _ = ledger;
  let isOver = false;
  const writing = (async () => {
    for (let n = 0; !isOver && n < 2_000; n += 1) await call({ charge: `live-${n}`, amount: 1 });
  })();
  for (let look = 0; look < 4; look += 1) {
    const found = await deep('live');
    assert.deepEqual([found.code, found.problems], [0, []]);
  }
  isOver = true;
  await writing;
});
