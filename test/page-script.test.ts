/** The verifier of bundles outside of Node: the same verdicts from a script that needs nothing but the language. */

import assert from 'node:assert/strict';
import { webcrypto } from 'node:crypto';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { formatBundle } from '../src/ledger/bundle/format.ts';
import type { Bundle } from '../src/ledger/bundle/format.ts';
import { makeBundle } from '../src/ledger/bundle/make.ts';
import { verifyEd25519 } from '../src/ledger/ed25519.ts';
import { verifyBundle } from '../src/ledger/verify/bundle.ts';
import { PAGE_SCRIPT } from '../src/ledger/verify/page-script.ts';
import { PAGE_SCRIPT as REPORT_SCRIPT } from '../src/report/page-script.ts';
import * as page from '../src/ledger/verify/page.ts';
import type { VerifyReport } from '../src/ledger/verify/report.ts';
import { formatVerifierKey } from '../src/tlog/note.ts';
import { utf8 } from '../src/value/encoding.ts';
import { NO_BROWSER, TestBrowser } from './browser.ts';
import { Scratch } from './cli/command.ts';
import { SCRIPTS, pageScript } from './page-script.ts';
import { sampleLeaves, signed, signer } from './sample-log.ts';

const owner = signer(1);
const key = formatVerifierKey(owner.key);
const log = sampleLeaves(40, owner);
const made = makeBundle({ checkpoint: String(signed(log, 33, owner).note), key, leaves: () => log }, () => true);
assert.ok(made !== undefined);
const bundle: Bundle = made;

/** A sound bundle, and bundles in which one thing each is wrong. */
const BUNDLES: readonly string[] = [
  bundle,
  { ...bundle, key: formatVerifierKey(signer(2).key) },
  { ...bundle, checkpoint: bundle.checkpoint.replace('33', '34') },
  { ...bundle, entries: bundle.entries.toReversed() },
  { ...bundle, entries: bundle.entries.map((entry) => ({ ...entry, leaf: entry.leaf.replace('"v":1', '"v":2') })) },
]
  .map((one) => JSON.stringify(formatBundle(one)))
  .concat('', '{"interlock":"bundle/1"}');

const expected = BUNDLES.map((text) => verifyBundle(utf8(text), { checkSignature: verifyEd25519 }));

test('the scripts in the repository are those that are made of their modules', () => {
  const made = SCRIPTS.map(pageScript);
  assert.ok(
    [PAGE_SCRIPT, REPORT_SCRIPT].every((script, at) => script === made[at]),
    'run `node test/page-script.ts --write`',
  );
});

test('the scripts name nothing of a machine, and can stand in a page', () => {
  for (const script of [PAGE_SCRIPT, REPORT_SCRIPT]) {
    const found =
      /.*(['"]node:|\b(Buffer|process\.|require|globalThis|window\.|fetch)\b|\bimport\b|<\/script|<!--).*/u.exec(
        script,
      );
    assert.equal(found?.[0], undefined);
  }
});

test('checked in later turns a bundle gets the same report', async () => {
  const checkSignature = page.webSignatureCheck(webcrypto.subtle);
  const reports = BUNDLES.map((text) => page.verifyBundleLater(page.utf8(text), { checkSignature }));
  assert.deepEqual(await Promise.all(reports), expected);
  assert.deepEqual(
    expected.map(({ verdict }) => verdict),
    ['ok', 'bad', 'bad', 'bad', 'bad', 'bad', 'bad'],
  );
  const stranger = page.parseVerifierKey(formatVerifierKey(signer(2).key));
  assert.ok(stranger !== undefined);
  const given = { checkSignature, key: stranger };
  const { problems } = await page.verifyBundleLater(page.utf8(BUNDLES[0] ?? ''), given);
  assert.deepEqual(
    problems.map(({ code }) => code),
    ['key-mismatch', 'checkpoint-signature'],
  );
});

test('where nobody can check a signature there is no verdict', async () => {
  const missing = (): Promise<never> => Promise.reject(new DOMException('no Ed25519', 'NotSupportedError'));
  const checkSignature = page.webSignatureCheck({ importKey: missing, verify: missing });
  await assert.rejects(page.verifyBundleLater(page.utf8(BUNDLES[0] ?? ''), { checkSignature }), /no Ed25519/u);
  const damaged = (): Promise<never> => Promise.reject(new DOMException('no point', 'DataError'));
  const refusing = page.webSignatureCheck({ importKey: damaged, verify: damaged });
  const report = await page.verifyBundleLater(page.utf8(BUNDLES[0] ?? ''), { checkSignature: refusing });
  assert.equal(report.problems[0]?.code, 'checkpoint-signature');
});

test('a browser gives the same reports [R-page-verifies]', { skip: NO_BROWSER }, async () => {
  using scratch = new Scratch();
  const texts = JSON.stringify(BUNDLES).replaceAll('<', String.raw`\u003c`);
  const run = `const page = ${PAGE_SCRIPT};
    const checkSignature = page.webSignatureCheck(crypto.subtle);
    globalThis.reports = Promise.all(
      ${texts}.map((text) => page.verifyBundleLater(page.utf8(text), { checkSignature })));`;
  scratch.write('page.html', `<!doctype html><meta charset="utf-8"><script type="module">${run}</script>`);
  await using browser = new TestBrowser();
  const tab = await (await browser.context()).newPage();
  await tab.goto(pathToFileURL(scratch.at('page.html')).href);
  const reports = await tab.evaluate<VerifyReport[]>('reports');
  assert.deepEqual(reports, expected);
});
