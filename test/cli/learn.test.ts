/** `interlock learn`: nothing sealed becomes a rule, and what a person wrote around the rules stays. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Performed } from '../../src/authority/answer.ts';
import { type Ended, Scratch, json, run } from './command.ts';
import { HOSTILE, openRecording } from './recorded.ts';

const FILE = `# The rules of the front desk. Ask Ann before you change them.
interlock: 1

tools:
  crm.note: { input: { type: object }, personal: [args.name], subject: args.customer } # names are personal
  crm.look: { effect: read, input: { type: object } }

rules:
  # reading is fine
  - allow: crm.look
  - allow: crm.note
  # nobody closes an account by itself
  - deny: crm.note
    when: '"close" in args'   # see the handbook
  - id: pages
    ask: crm.look
    when: args.page > 1000
budgets: {}
`;
const DONE: Performed = { kind: 'succeeded', output: { content: [] } };
const scratch = new Scratch();

before(async () => {
  scratch.write('interlock.yaml', FILE);
  await using recording = await openRecording(scratch.at('.interlock'), true, FILE);
  await recording.call('crm.look', { page: 1 }, DONE);
  await recording.call('crm.look', { page: 2, [HOSTILE]: 1 }, DONE);
  await recording.call('crm.note', { customer: 'canary-1', name: 'Canary One' }, DONE);
  await recording.call('crm.note', { customer: 'canary-2', name: 'Canary Two', text: 'canary@example.com' }, DONE);
  await recording.call('crm.look', { page: 3, text: 'plain' }, DONE);
});
after(() => scratch[Symbol.dispose]());

function learn(...args: readonly string[]): Promise<Ended> {
  return run(['learn', ...args], { directory: scratch.path });
}

test('a call with a sealed value is left out, named by its tool and places, and no value is told [R-learn]', async () => {
  const { code, out } = await learn('--json');
  const { ok, rules, calls, left, sealed } = json(out);
  assert.deepEqual([code, ok, rules, calls, (left as unknown[]).length], [1, false, 3, 3, 2]);
  assert.deepEqual(sealed, [{ tool: 'crm.note', places: ['/customer', '/name', '/text'], calls: 2 }]);
  const told = (await learn()).out;
  assert.match(told, /^# Of crm\.note 2 calls left out, sealed in: \/customer, \/name, \/text\. A rule of yours /mu);
  assert.match(told, /\\"plain\\"/u);
  assert.doesNotMatch(told + out, /canary/iu);
  assert.ok(!told.includes('\u202e') && !told.includes('\u001b'));
});

test('an erasure changes nothing of what is learned but that nothing could ever be [R-learn]', async () => {
  const before = (await learn('--json')).out;
  for (const subject of ['canary-1', 'canary-2']) {
    const erased = await run(['erase', subject, '--reason', 'ticket 17'], { directory: scratch.path });
    assert.equal(erased.code, 0, erased.err);
  }
  assert.equal((await learn('--json')).out, before);
});

test('comments, order and quotes of the file stay, and so does what is learned when it is learned again', async () => {
  const { out } = await learn();
  const [head = '', ...rest] = out.split('\n\n');
  assert.match(head, /^# Written by `interlock learn` from 3 recorded calls/u);
  const text = rest.join('\n\n');
  for (const kept of [
    '# The rules of the front desk. Ask Ann before you change them.\ninterlock: 1\n',
    'personal: [ args.name ], subject: args.customer } # names are personal\n',
    '  # nobody closes an account by itself\n  - deny: crm.note\n    when: \'"close" in args\' # see the handbook\n',
    '  - id: pages\n    ask: crm.look\n    when: args.page > 1000\n',
    'budgets: {}\n',
  ]) {
    assert.ok(text.includes(kept), `expected \`${kept}\` in\n${text}`);
  }
  assert.ok(
    text.indexOf('ask: crm.look') < text.indexOf('learned/1') && text.indexOf('learned/3') < text.indexOf('budgets'),
  );
  assert.doesNotMatch(text, /- allow: crm\.(?:look|note)\n {2}- /u);
  scratch.write('learned.yaml', out);
  const check = await run(['check', '-c', 'learned.yaml', '--offline'], { directory: scratch.path });
  assert.equal(check.code, 0, check.err);
  const again = await learn('-c', 'learned.yaml', '--data', scratch.at('.interlock'));
  assert.equal(again.out, out);
});

test('a file in braces, or with an anchor whose rule goes, is written anew and says the same', async () => {
  const rules = '[{ allow: &tool crm.look }, { deny: *tool, when: "args.page > 9" }]';
  const tools = '{ crm.look: { effect: read, input: { type: object } }, crm.note: { input: { type: object } } }';
  scratch.write('other.yaml', `# in braces\ninterlock: 1\ntools: ${tools}\nrules: ${rules}\n`);
  const { out } = await learn('-c', 'other.yaml', '--data', scratch.at('.interlock'));
  assert.doesNotMatch(out, /in braces/u);
  scratch.write('anew.yaml', out);
  const check = await run(['check', '-c', 'anew.yaml', '--offline'], { directory: scratch.path });
  assert.equal(check.code, 0, check.err);
  assert.match(out, /deny: "crm\.look"/u);
});
