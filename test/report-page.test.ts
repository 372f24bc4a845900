/** The page of a report in a real browser: it verifies itself, shows changes, loads nothing, and is usable by everybody. */

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { AxeResults } from 'axe-core';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { setKill } from '../src/authority/kill.ts';
import { systemWorld } from '../src/world/system.ts';
import { NO_BROWSER, TestBrowser } from './browser.ts';
import { Scratch, run } from './cli/command.ts';
import { copyData, openRecording, tamper } from './cli/recorded.ts';
import { approver, recordEverything } from './tampered-log.ts';

const browser = new TestBrowser();
const scratch = new Scratch();
const data = scratch.at('data');
const options = { skip: NO_BROWSER };

/** Everything that could be mistaken for something else than text. */
const HOSTILE = [
  '</script><script>globalThis.pwned = 1</script>',
  '<img src=x onerror="globalThis.pwned = 1">',
  '"><svg onload=globalThis.pwned=1>',
  'javascript:globalThis.pwned=1',
  '\u202eevil\u2066\u200b\u0000\u001b]8;;http://example.invalid\u0007',
  '<!-- ]]> -->&lt;b&gt;${globalThis.pwned=1}`',
  '{{constructor.constructor("globalThis.pwned=1")()}}',
  '\u2028\u2029\ufeff\u00ad',
  '{"$sealed":"forged"}',
];

const RULES = `interlock: 1
tools:
  bank.pay: { effect: write, input: { type: object }, cost: { money: args.n } }
budgets:
  money: { limit: 100, unit: calls, window: 24h }
rules:
  - { id: "${'x'.repeat(40)}", allow: bank.pay, because: "</title><h1>" }
`;

before(async () => {
  if (NO_BROWSER !== false) return;
  await using recording = await openRecording(scratch.at('hostile'), true, RULES);
  for (const [n, text] of HOSTILE.entries()) {
    const args = { n, text, [text]: [text, { [text]: 1 }], mail: 'ann@example.com', path: `/x/${text}` };
    await recording.call('bank.pay', args, { kind: 'succeeded', output: { content: [{ type: 'text', text }] } });
    await recording.call(text, args, { kind: 'unknown', reason: text }, text);
    await recording.call('bank.pay', { n: 1, text }, { kind: 'unknown', reason: text });
    await setKill(recording.ledger, systemWorld, { target: `tool:${text}`, reason: text, by: text });
  }
  await recording.call('bank.pay', { n: 1, text: 'x'.repeat(1_000_000) }, { kind: 'succeeded', output: {} });
  await recordEverything(data, approver());
  for (const name of ['hostile', 'data']) {
    const made = await run(['report', '--data', scratch.at(name), '-o', `${name}.html`], { directory: scratch.path });
    assert.equal(made.code, 0, made.err);
  }
});
after(async () => {
  await browser[Symbol.asyncDispose]();
  scratch[Symbol.dispose]();
});

/** A page that is open, and what it did that a report must not do. */
interface Opened extends AsyncDisposable {
  readonly page: Page;
  readonly faults: string[];
}

async function open(file: string, how: BrowserContextOptions = {}): Promise<Opened> {
  const context = await browser.context(how);
  const page = await context.newPage();
  const faults: string[] = [];
  const own = pathToFileURL(scratch.at(file)).href;
  page.on('console', (message) => faults.push(`console: ${message.text()}`));
  page.on('pageerror', (error) => faults.push(`error: ${error.message}`));
  page.on('dialog', (dialog) => faults.push(`dialog: ${dialog.message()}`));
  page.on('request', (request) => {
    if (request.url() !== own && !request.url().startsWith('data:')) faults.push(`request: ${request.url()}`);
  });
  await page.goto(own);
  return { page, faults, [Symbol.asyncDispose]: () => context.close() };
}

/** What the button says when it is pressed. */
async function pressed(page: Page): Promise<string> {
  await page.click('#verify');
  // Polling in the page is code from text, which the page forbids.
  await page.locator('#result.ok, #result.bad, #result.unsure').waitFor();
  return (await page.textContent('#result')) ?? '';
}

test('the page verifies in the page, and does nothing else [R-report-verifies] [R-report-inert]', options, async () => {
  for (const file of ['data.html', 'hostile.html']) {
    await using opened = await open(file);
    assert.match(await pressed(opened.page), /^Verified: all \d+ entries/u, file);
    assert.equal(await opened.page.evaluate('globalThis.pwned'), undefined);
    assert.deepEqual(opened.faults, []);
  }
});

test('whatever is shown otherwise than it was written is found and marked [R-report-verifies]', options, async () => {
  await using opened = await open('data.html');
  const { page } = opened;
  /** Each changes the page and gives a function that takes it back. */
  const changes: readonly (readonly [what: string, change: string])[] = [
    [
      'an amount',
      `(() => { const c = [...document.querySelectorAll('.value')].find((e) => e.textContent === '1000'); c.textContent = '1001'; return () => c.textContent = '1000'; })()`,
    ],
    [
      'a figure',
      `(() => { const c = document.querySelector('.tile dd'); const was = c.textContent; c.textContent = '13'; return () => c.textContent = was; })()`,
    ],
    ['the title', `(() => { const was = document.title; document.title = 'x'; return () => document.title = was; })()`],
    [
      'a class',
      `(() => { const c = document.querySelector('.state.denied'); c.className = 'state done'; return () => c.className = 'state denied'; })()`,
    ],
    [
      'a bar of the plot',
      `(() => { const c = document.querySelector('svg .bar'); const was = c.getAttribute('height'); c.setAttribute('height', '1'); return () => c.setAttribute('height', was); })()`,
    ],
    [
      'a call that is gone',
      `(() => { const c = document.querySelector('.call'); const to = c.parentNode; const next = c.nextSibling; c.remove(); return () => to.insertBefore(c, next); })()`,
    ],
    [
      'a call that came in',
      `(() => { const c = document.querySelector('.call').cloneNode(true); document.querySelector('.calls').append(c); return () => c.remove(); })()`,
    ],
    [
      'a comment',
      `(() => { const c = document.createComment('x'); document.querySelector('main').append(c); return () => c.remove(); })()`,
    ],
    [
      'a style',
      `(() => { const c = document.querySelector('h1'); c.setAttribute('style', 'display:none'); return () => c.removeAttribute('style'); })()`,
    ],
    [
      'the bundle',
      `(() => { const c = document.getElementById('bundle').firstChild; const was = c.data; c.data = was.replace('1000', '1001'); return () => c.data = was; })()`,
    ],
    [
      'a space in the bundle',
      `(() => { const c = document.getElementById('bundle').firstChild; const was = c.data; c.data = was + ' '; return () => c.data = was; })()`,
    ],
    [
      'what was told',
      `(() => { const c = document.getElementById('told').firstChild; const was = c.data; c.data = was.replace('true', 'false'); return () => c.data = was; })()`,
    ],
  ];
  for (const [what, change] of changes) {
    await page.evaluate(`globalThis.back = ${change}`);
    assert.match(await pressed(page), /^Not verified/u, what);
    assert.match((await page.getAttribute('#result', 'class')) ?? '', /bad/u);
    await page.evaluate('void globalThis.back()');
    assert.match(await pressed(page), /^Verified/u, `${what} is as it was`);
  }
  // Folds that a reader opens and choices that a reader makes are no changes.
  await page.click('.call summary');
  await page.check('#show-denied');
  assert.match(await pressed(page), /^Verified/u);
  assert.ok((await page.locator('.call:visible').count()) < (await page.locator('.call').count()));
});

test('one changed byte of the file is found, wherever it is shown or proved [R-report-verifies]', options, async () => {
  const sound = readFileSync(scratch.at('data.html'), 'utf8');
  const changes: readonly (readonly [string, string])[] = [
    ['<code class="value">1000</code>', '<code class="value">1008</code>'],
    [String.raw`\"amount\":1000`, String.raw`\"amount\":1008`],
    ['>denied-by-rule<', '>denied-by-rulf<'],
    ['"again":"same"', '"again":"taken"'],
  ];
  for (const [text, other] of changes) {
    assert.ok(sound.includes(text), text);
    writeFileSync(scratch.at('changed.html'), sound.replace(text, other));
    await using opened = await open('changed.html');
    assert.match(await pressed(opened.page), /^Not verified/u, text);
    assert.deepEqual(opened.faults, []);
  }
});

test('another script or style in the file does not run', options, async () => {
  const sound = readFileSync(scratch.at('data.html'), 'utf8');
  const evil = '<script>globalThis.pwned = 1</script><p id="evil" style="color: red" onclick="pwned=1">x</p>';
  writeFileSync(scratch.at('evil.html'), sound.replace('<header', `${evil}<header`));
  await using opened = await open('evil.html');
  await opened.page.click('#evil');
  assert.equal(await opened.page.evaluate('globalThis.pwned'), undefined);
  assert.ok(opened.faults.length > 0 && opened.faults.every((fault) => fault.includes('Content Security Policy')));
});

test('a changed log is told at the top and by the button', options, async () => {
  const copy = copyData(data, scratch.at('copy'));
  const leaf = 'CAST(replace(CAST(leaf AS TEXT), \'"amount":2000\', \'"amount":9000\') AS BLOB)';
  tamper(copy, `UPDATE entries SET leaf = ${leaf}`);
  const made = await run(['report', '--data', copy, '-o', 'copy.html'], { directory: scratch.path });
  assert.equal(made.code, 1);
  await using opened = await open('copy.html');
  assert.match((await opened.page.textContent('.verdict.bad')) ?? '', /^This log does not verify/u);
  assert.match(await pressed(opened.page), /^Not verified.*expected a proof that this is entry/su);
  assert.deepEqual(opened.faults, []);
});

test('everybody can use it: no fault that a checker finds, in light and dark, wide and narrow', options, async () => {
  const { default: axe } = await import('axe-core');
  for (const [file, colorScheme, width] of [
    ['data.html', 'light', 1280],
    ['data.html', 'dark', 390],
    ['hostile.html', 'light', 390],
    ['copy.html', 'dark', 1280],
  ] as const) {
    // The checker is injected, which the page's own policy would forbid.
    await using opened = await open(file, { colorScheme, viewport: { width, height: 900 }, bypassCSP: true });
    const { page } = opened;
    await page.evaluate(`for (const fold of document.querySelectorAll('details')) fold.open = true`);
    await pressed(page);
    await page.evaluate(axe.source);
    const found = await page.evaluate<AxeResults>('axe.run()');
    const faults = found.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html.slice(0, 200)}`);
    assert.deepEqual(faults, [], `${file} ${colorScheme} ${width}`);
    assert.ok(found.passes.length > 20, 'the checker looked');
    // Nothing is wider than the window but what scrolls by itself.
    assert.equal(
      await page.evaluate('document.documentElement.scrollWidth <= window.innerWidth'),
      true,
      `${file} ${width}`,
    );
  }
});

test('the keyboard alone goes through it', options, async () => {
  await using opened = await open('data.html');
  const { page } = opened;
  const focused = (): Promise<string> =>
    page.evaluate<string>('document.activeElement.id || document.activeElement.textContent');
  await page.keyboard.press('Tab');
  assert.equal(await focused(), 'Skip to the report');
  await page.keyboard.press('Enter');
  assert.equal(await focused(), 'main');
  await page.focus('#verify');
  await page.keyboard.press('Enter');
  await page.locator('#result.ok').waitFor();
  await page.focus('.call summary');
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate('document.querySelector(".call details").open'), true);
});

test('a link to a call opens it, and paper has all of it', options, async () => {
  await using opened = await open('data.html');
  const { page } = opened;
  await page.click('#denials a');
  const open_ = await page.evaluate<number>('document.querySelectorAll(".call details[open]").length');
  assert.equal(open_, 1);
  await page.emulateMedia({ media: 'print' });
  assert.ok(await page.locator('#call-1 h4').first().isVisible());
  assert.equal(await page.locator('#check').isVisible(), false);
});
