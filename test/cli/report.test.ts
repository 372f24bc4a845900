/** `interlock report`: the page, its exit codes, and what is said of logs that are empty, changed or not there. */

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { type Ended, Scratch, json, run } from './command.ts';
import { type Calls, HOSTILE, copyData, openRecording, record, tamper } from './recorded.ts';

const scratch = new Scratch();
const data = scratch.at('.interlock');
let calls: Calls;

before(async () => {
  calls = await record(data);
});
after(() => scratch[Symbol.dispose]());

function interlock(...args: readonly string[]): Promise<Ended> {
  return run(args, { directory: scratch.path });
}

test('a report is written, told in figures, and verifies [R-report]', async () => {
  const made = await interlock('report', '-o', 'all.html', '--json');
  assert.deepEqual([made.code, made.err], [0, '']);
  const told = json(made.out);
  assert.deepEqual([told['ok'], told['verdict'], told['file']], [true, 'ok', 'all.html']);
  const figures = told['figures'] as Record<string, unknown>;
  assert.equal(figures['calls'], Object.keys(calls).length);
  scratch.write('key', String(told['key']));
  const verified = await interlock('verify', 'all.html', '--key', 'key', '--json');
  assert.deepEqual([verified.code, json(verified.out)['verdict']], [0, 'ok']);
  const human = await interlock('report', calls.denied, '-o', 'one.html');
  assert.equal(human.code, 0);
  assert.match(human.out, /^1 call, \d+ entries with their proofs, in one\.html\n.*interlock verify one\.html/su);
  assert.match(readFileSync(scratch.at('one.html'), 'utf8'), new RegExp(`<h1>Call ${calls.denied}</h1>`, 'u'));
});

test('a page that was changed in any byte does not verify, whatever runs in it [R-report-verifies]', async () => {
  await interlock('report', 'session', '-o', 'sound.html');
  const sound = readFileSync(scratch.at('sound.html'), 'utf8');
  const forgeries = {
    shown: sound.replace('>denied<', '>done<').replace('Denied calls', 'Denied Calls'),
    script: sound.replace("'use strict';\n{", "'use strict';\n{alert(1);"),
    style: sound.replace('--page: #f7f7f5', '--page: #f7f7f6'),
    bundle: sound.replace(/("position\\?":)1,/u, '$12,').replace('bank.pay', 'bank.pat'),
    told: sound.replace('"verdict":"ok"', '"verdict":"bad"'),
  };
  for (const [name, text] of Object.entries(forgeries)) {
    assert.notEqual(text, sound, name);
    scratch.write(`${name}.html`, text);
    const found = await interlock('verify', `${name}.html`);
    assert.equal(found.code, 1, name);
    assert.match(found.out, /\[(?:report-page|report-log|entry-proof|bundle-malformed)\]/u);
  }
});

test('a log that was changed is reported in red, and the exit code says so', async () => {
  const copy = copyData(data, scratch.at('copy'));
  const leaf = 'CAST(replace(CAST(leaf AS TEXT), \'"n":1}\', \'"n":9}\') AS BLOB)';
  tamper(copy, `UPDATE entries SET leaf = ${leaf} WHERE CAST(leaf AS TEXT) LIKE '%"n":1}%'`);
  const made = await interlock('report', '--data', copy, '-o', 'changed.html', '--json');
  assert.equal(made.code, 1, made.err);
  const told = json(made.out);
  assert.deepEqual([told['ok'], told['verdict']], [false, 'bad']);
  const page = readFileSync(scratch.at('changed.html'), 'utf8');
  assert.match(page, /<strong>This log does not verify\. <\/strong>/u);
  assert.match(page, /checkpoint-root/u);
  assert.equal((await interlock('verify', 'changed.html')).code, 1);
});

test('a log in which nothing was called has a report', async () => {
  const empty = scratch.at('empty');
  await (await openRecording(empty))[Symbol.asyncDispose]();
  const made = await interlock('report', '--data', empty, '-o', 'empty.html');
  assert.deepEqual([made.code, made.err], [0, '']);
  assert.match(readFileSync(scratch.at('empty.html'), 'utf8'), /No call was made\./u);
  assert.equal((await interlock('verify', 'empty.html')).code, 0);
});

test('a report of a log that goes on holds what was signed when it began', async () => {
  const busy = scratch.at('busy');
  await using recording = await openRecording(busy);
  let isDone = false;
  const writing = async (): Promise<void> => {
    for (let n = 0; !isDone; n += 1) await recording.call('bank.pay', { n }, { kind: 'succeeded', output: {} });
  };
  const reporting = async (): Promise<Ended> => {
    const made = await interlock('report', '--data', busy, '-o', 'busy.html');
    isDone = true;
    return made;
  };
  await recording.call('bank.pay', { n: -1 }, { kind: 'succeeded', output: {} });
  const [made] = await Promise.all([reporting(), writing()]);
  assert.deepEqual([made.code, made.err], [0, '']);
  assert.equal((await interlock('verify', 'busy.html')).code, 0);
});

test('what is not there and what cannot be written are told', async () => {
  for (const [args, code, message] of [
    [['report', 'nobody', '-o', 'x.html'], 2, /no session and no call `nobody` is recorded here/u],
    [['report', '', '-o', 'x.html'], 2, /the id of the session is empty/u],
    [['report'], 2, /--out/u],
    [['report', '-o', 'no/such/place'], 2, /`no\/such\/place` cannot be written: the system says ENOENT/u],
    [['report', '--data', 'nowhere', '-o', 'x.html'], 7, /cannot-open/u],
  ] as const) {
    const ended = await interlock(...args);
    assert.deepEqual([ended.code, ended.out], [code, ''], args.join(' '));
    assert.match(ended.err, message);
  }
});

test('nothing that an agent or a tool said reaches the page as anything but visible text [R-report-inert]', async () => {
  await interlock('report', '-o', 'hostile.html');
  const page = readFileSync(scratch.at('hostile.html'), 'utf8');
  const shown = page.slice(page.indexOf('<header'), page.indexOf('<script'));
  for (const character of HOSTILE)
    assert.ok(!shown.includes(character) || character === '\n' || /[\w[]/u.test(character));
  assert.match(shown, /bank\.\\u\{1b\}\[2J\\u\{9b\}31m\\u\{202e\}\\u\{a\}/u);
});

const PERSONAL = `interlock: 1
tools:
  mail.send: { effect: write, input: { type: object }, subject: args.customer, personal: [args.note] }
  files.write: { effect: write, input: { type: object }, guard: { path: { within: ROOT, args: [path] } } }
rules:
  - { allow: "*" }
`;

test('sealed values are not in a report, and are told as erased once they are; paths are the real ones', async () => {
  const place = scratch.at('personal');
  const root = scratch.at('root');
  mkdirSync(root);
  symlinkSync(root, scratch.at('link'));
  const canaries = ['ann@example.com', 'a private remark', 'the answer about ann'];
  {
    await using recording = await openRecording(place, true, PERSONAL.replace('ROOT', root));
    const output = { content: [{ type: 'text', text: canaries[2] ?? '' }] };
    const mail = { customer: 'ann', to: canaries[0] ?? '', note: canaries[1] ?? '', subject: 'hello' };
    await recording.call('mail.send', mail, { kind: 'succeeded', output });
    await recording.call('files.write', { path: `${scratch.at('link')}/a.txt` }, { kind: 'succeeded', output });
    await recording.call('files.write', { path: '/etc/passwd' }, { kind: 'succeeded', output });
  }
  const report = async (): Promise<string> => {
    const made = await interlock('report', '--data', place, '-o', 'personal.html');
    assert.deepEqual([made.code, made.err], [0, '']);
    assert.equal((await interlock('verify', 'personal.html')).code, 0);
    const page = readFileSync(scratch.at('personal.html'), 'utf8');
    for (const canary of canaries) {
      for (const text of [
        canary,
        Buffer.from(canary).toString('base64').slice(0, -4),
        Buffer.from(canary).toString('hex'),
      ]) {
        assert.ok(!page.includes(text), text);
      }
    }
    return page.slice(page.indexOf('<main'), page.indexOf('</main'));
  };
  const before = await report();
  assert.match(before, />sealed, commitment …/u);
  assert.doesNotMatch(before, />erased, commitment/u);
  const real = `${root}/a.txt`;
  assert.ok(
    before.includes(`<code class="value">&quot;${real}&quot;</code></td><td><span class="chip">real path</span>`),
  );
  assert.match(before, /guard-refused<\/code> where it leads is not permitted/u);
  assert.doesNotMatch(before, /\/etc\/passwd&quot;<\/code><\/td><td><span class="chip">real path/u);
  const erased = await interlock('erase', 'ann', '--data', place, '--reason', 'asked for it');
  assert.equal(erased.code, 0, erased.err);
  const after = await report();
  assert.match(after, />erased, commitment …/u);
  assert.match(after, /taken as recorded: its arguments are gone/u);
  assert.match(after, /An erasure is complete/u);
});
