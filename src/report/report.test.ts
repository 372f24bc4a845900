/** What a report says of a log: every figure from its entries, every word compared when it is verified. */

import assert from 'node:assert/strict';
import { webcrypto } from 'node:crypto';
import { after, before, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import * as fc from 'fast-check';
import { openReader } from '../ledger/sqlite/reader.ts';
import { readVault } from '../ledger/vault.ts';
import { systemWorld } from '../world/system.ts';
import { verifyEd25519 } from '../ledger/ed25519.ts';
import { formatBundle } from '../ledger/bundle/format.ts';
import { verifyBundle } from '../ledger/verify/bundle.ts';
import { utf8 } from '../value/encoding.ts';
import { Scratch } from '../../test/cli/command.ts';
import { documentOf, nodesIn } from '../../test/page-document.ts';
import { approver, entriesOf, recordEverything } from '../../test/tampered-log.ts';
import type { PageLimits } from './choose.ts';
import { type Gathered, gatherReport } from './gather.ts';
import { bodyOf } from './page/body.ts';
import { verifyPage, watch } from './page/button.ts';
import { figuresOf } from './page/figures.ts';
import { printHtml } from './print.ts';
import { readReport } from './read.ts';
import { storyOf } from './page/story.ts';
import { reportPage } from './write.ts';

const scratch = new Scratch();
const data = scratch.at('data');
const AT = '2026-11-20T18:00:00.000Z';

let report: Gathered;

async function gathered(of?: string, limits?: PageLimits): Promise<Gathered | undefined> {
  using reader = openReader(data);
  const vault = readVault(data, systemWorld);
  const checkpoints = [...reader.checkpoints()].map(({ frontier, note }) => ({ size: frontier.size, note }));
  return await gatherReport(
    {
      log: { entries: reader.leaves(), checkpoints },
      problems: () => [],
      leaves: function* () {
        for (const { leaf } of reader.leaves()) yield leaf;
      },
      recording: () => ({
        entries: reader.leaves(),
        open: (call, role, position, commitment) => {
          const body = reader.bodyAt(call, role, position);
          return body === undefined ? undefined : vault.open(body, commitment);
        },
        salt: (call) => reader.call(call)?.salt,
      }),
    },
    {
      ...(of === undefined ? {} : { of }),
      ...(limits === undefined ? {} : { limits }),
      version: '1',
      at: AT,
      verify: { checkSignature: verifyEd25519 },
    },
  );
}

before(async () => {
  await recordEverything(data, approver());
  report = (await gathered('session')) ?? assert.fail();
});
after(() => scratch[Symbol.dispose]());

function html(): string {
  const { head, main, foot } = bodyOf(report.bundle, report.told);
  return [head, main, foot].map(printHtml).join('');
}

test('every figure is counted from the entries', () => {
  const entries = entriesOf(data);
  const of = (type: string): number => entries.filter((entry) => entry.type === type).length;
  const figures = figuresOf(storyOf(report.bundle.entries));
  assert.equal(figures.calls, new Set(entries.flatMap(({ call }) => (typeof call === 'string' ? [call] : []))).size);
  assert.deepEqual(figures.decisions, { allow: of('call.intent'), ask: of('call.parked'), deny: of('call.denied') });
  assert.equal(figures.approvals, of('call.approved'));
  assert.equal(figures.states.unknown, of('call.unknown'));
  assert.equal(
    Object.values(figures.states).reduce((sum, n) => sum + n, 0),
    figures.calls,
  );
});

test('a call is told with its rule, clause, argument, answers and time [R-report]', () => {
  const page = html();
  assert.match(page, /args\.amount &lt;= 20000<\/code> is false/u);
  assert.match(page, /Rule stolen<\/b> denies bank\.pay/u);
  assert.match(page, /args\.charge == &quot;stolen&quot;<\/code> is true/u);
  assert.match(page, /approved by ann, signed/u);
  assert.match(page, /sealed, commitment/u);
  assert.match(page, /it fell silent/u);
  assert.match(page, /interlock settle [0-9a-f-]+ executed\|not-executed/u);
  assert.match(page, /kill-switch/u);
  assert.match(page, /the same, from the log alone/u);
  assert.doesNotMatch(page, /not the same/u);
});

test('a risk is listed with the entries that show it, and none without', () => {
  const page = html();
  for (const id of ['ASI02', 'ASI03', 'ASI04', 'ASI08', 'ASI10']) assert.match(page, new RegExp(`${id} `, 'u'));
  for (const id of ['ASI01', 'ASI05', 'ASI06', 'ASI07', 'ASI09']) assert.doesNotMatch(page, new RegExp(id, 'u'));
});

test('what a session is not of is not in its report', async () => {
  assert.equal(await gathered('nobody'), undefined);
  const call = storyOf(report.bundle.entries).calls[2]?.id ?? '';
  const one = (await gathered(call)) ?? assert.fail();
  const story = storyOf(one.bundle.entries);
  assert.deepEqual(
    story.calls.map(({ id }) => id),
    [call],
  );
  assert.ok(one.bundle.entries.length < report.bundle.entries.length);
});

test('of a log that is larger than a page the last calls are on it, the others are counted, and it verifies', async () => {
  const some = (await gathered(undefined, { decisions: 4, events: 2, bytes: 100_000 })) ?? assert.fail();
  const of = (type: string): number => entriesOf(data).filter((entry) => entry.type === type).length;
  const { decisions } = figuresOf(storyOf(some.bundle.entries));
  const { left } = some.told;
  assert.equal(decisions.allow + decisions.ask + decisions.deny, 4);
  assert.deepEqual(left.decisions, {
    allow: of('call.intent') - decisions.allow,
    ask: of('call.parked') - decisions.ask,
    deny: of('call.denied') - decisions.deny,
  });
  const { main } = bodyOf(some.bundle, some.told);
  assert.match(
    printHtml(main),
    /This page holds the last ones only\. Not on it, and in none of its figures: \d+ earlier decisions/u,
  );
  const outcome = await verifyPage(documentOf(some.bundle, formatBundle(some.bundle), some.told), webcrypto.subtle);
  assert.deepEqual([outcome.verdict, outcome.findings], ['ok', []]);
});

test('the page verifies as it was written, and reads back as itself', async () => {
  const page = documentOf(report.bundle, formatBundle(report.bundle), report.told);
  const outcome = await verifyPage(page, webcrypto.subtle);
  assert.deepEqual([outcome.verdict, outcome.findings], ['ok', []]);
  const text = reportPage(report.bundle, report.told);
  const read = readReport(text, '1');
  assert.deepEqual([read?.page, read?.log], ['same', 'ok']);
  assert.equal(readReport(text.replace('Summary', 'summary'), '1')?.page, 'differs');
  assert.equal(readReport(text.replace('Summary', 'summary'), '2')?.page, 'other-version');
  assert.equal(readReport('{}', '1'), undefined);
});

test('one changed byte of the bundle, of what was told, or of what is shown is found [R-report-verifies]', async () => {
  const formatted = formatBundle(report.bundle);
  const sound = documentOf(report.bundle, formatted, report.told);
  const size = { bundle: sound.blocks.bundle.length, told: sound.blocks.told.length };
  const shown = sound.parts.flatMap((part) => [...nodesIn(part)]).length;
  const change = fc.oneof(
    fc.record({
      what: fc.constantFrom('bundle' as const, 'told' as const),
      at: fc.double({ min: 0, max: 0.9999, noNaN: true }),
    }),
    fc.record({
      what: fc.constantFrom('text' as const, 'attribute' as const),
      at: fc.double({ min: 0, max: 0.9999, noNaN: true }),
    }),
  );
  await fc.assert(
    fc.asyncProperty(change, fc.constantFrom('x', '0', ' ', '}'), async ({ what, at }, byte) => {
      const page = documentOf(report.bundle, formatted, report.told);
      if (what === 'bundle' || what === 'told') {
        const index = Math.floor(at * size[what]);
        const text = page.blocks[what];
        if (text[index] === byte) return;
        page.blocks[what] = text.slice(0, index) + byte + text.slice(index + 1);
        const here = verifyBundle(utf8(page.blocks.bundle), { checkSignature: verifyEd25519 });
        // Spaces between the members of JSON are no part of a bundle, but they are of the page.
        if (what === 'bundle' && byte !== ' ') assert.equal(here.verdict, 'bad', `${index}`);
      } else {
        const nodes = page.parts.flatMap((part) => [...nodesIn(part)]);
        const of = nodes
          .slice(Math.floor(at * shown))
          .find((node) => (what === 'text' ? node.nodeValue : node.attributes.length > 0));
        if (of === undefined) return;
        if (what === 'text') of.nodeValue += byte;
        else (of.attributes[0] ?? assert.fail()).value += byte;
      }
      const outcome = await verifyPage(page, webcrypto.subtle).catch(() => undefined);
      assert.notEqual(outcome?.verdict, 'ok');
    }),
    { numRuns: 150 },
  );
});

test('a browser that cannot check signatures gives no verdict, and says so', async () => {
  const page = documentOf(report.bundle, formatBundle(report.bundle), report.told);
  const missing = (): Promise<never> => Promise.reject(new DOMException('no Ed25519', 'NotSupportedError'));
  for (const subtle of [undefined, { importKey: missing, verify: missing }]) {
    const outcome = await verifyPage(page, subtle);
    assert.equal(outcome.verdict, 'unsure');
    assert.match(outcome.summary, /cannot check Ed25519/u);
  }
});

test('the script shows the button, and answers a press of it', async () => {
  const page = documentOf(report.bundle, formatBundle(report.bundle), report.told);
  page.verify.hidden = true;
  const paused = Promise.withResolvers<void>();
  watch(page, { subtle: webcrypto.subtle, pause: () => paused.promise });
  assert.equal(page.verify.hidden, false);
  page.verify.press?.();
  assert.equal(page.result.textContent, 'Checking…');
  page.blocks.told = page.blocks.told.replace('same', 'taken');
  paused.resolve();
  while (page.result.textContent === 'Checking…') await setImmediate();
  assert.equal(page.result.className, 'result bad');
  assert.match(page.result.textContent ?? '', /^Not verified/u);
});
