/** `interlock diff` and `interlock learn`: what a change would have done to recorded calls, and the least that allows them. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { member } from '../../src/audit/problem.ts';
import type { JsonObject } from '../../src/value/json.ts';
import { approver, entriesOf, recordEverything, recordedPolicy } from '../tampered-log.ts';
import { type Ended, Scratch, json, run } from './command.ts';

const scratch = new Scratch();
const data = scratch.at('.interlock');
const ann = approver();

before(async () => {
  await recordEverything(data, ann);
  write('old.yaml', () => {});
  write('interlock.yaml', () => {});
});
after(() => scratch[Symbol.dispose]());

type Rule = Record<string, unknown>;

/** The recorded configuration with its rules changed; its server's command is gone. */
function write(name: string, change: (rules: Rule[], whole: Record<string, unknown>) => void): string {
  const written = recordedPolicy(ann.key).configuration.data;
  const whole = structuredClone(written) as Record<string, unknown> & { rules: Rule[] };
  whole['servers'] = { bank: { command: '/nowhere/bank-server' } };
  change(whole.rules, whole);
  return scratch.write(name, JSON.stringify(whole));
}

function command(...args: readonly string[]): Promise<Ended> {
  return run(args, { directory: scratch.path });
}

interface Change {
  readonly tool: string;
  readonly calls: number;
  readonly entries: readonly number[];
  readonly before: { readonly effect: string; readonly code: string; readonly rules: readonly string[] };
  readonly after: { readonly effect: string; readonly code: string; readonly rules: readonly string[] };
}

async function diff(after: string, ...more: readonly string[]) {
  const { code, out, err } = await command('diff', 'old.yaml', after, '--json', ...more);
  assert.equal(err, '');
  return {
    code,
    told: json(out) as unknown as {
      ok: boolean;
      allowed: number;
      changes: readonly Change[];
      widens: readonly JsonObject[];
    },
  };
}

const byText = (one: unknown, other: unknown): number => (String(one) < String(other) ? -1 : 1);

const charges = (entries: readonly number[]): unknown[] => {
  const all = entriesOf(data);
  return entries.map((at) => member(all[at]?.['args'], 'charge'));
};

test('a change is told by what it does to recorded calls, on their clock and counters [R-diff]', async () => {
  write('new.yaml', (rules) => {
    const [small] = rules;
    assert.ok(small !== undefined);
    small['when'] = 'args.amount <= 1500 && budget.money.left > 0';
  });
  const { code, told } = await diff('new.yaml', '--replay');
  assert.deepEqual([code, told.ok, told.allowed], [0, true, 0], 'nothing that was denied is allowed');
  const narrowed = told.changes.find(({ before, after }) => before.effect === 'allow' && after.effect === 'deny');
  assert.ok(charges(narrowed?.entries ?? []).includes('b'));
  assert.deepEqual(narrowed?.after.code, 'no-rule');
  const asked = told.changes.find(({ before }) => before.effect === 'ask');
  assert.deepEqual([asked?.after.effect, charges(asked?.entries ?? [])], ['deny', ['d', 'e']]);
});

test('the exit code is 1 when a denial becomes an allowance, and it is named [R-diff]', async () => {
  write('wider.yaml', (rules) => {
    rules.splice(0, rules.length, { allow: 'bank.*' });
  });
  const { code, told } = await diff('wider.yaml', '--replay');
  assert.deepEqual([code, told.ok], [1, false]);
  const widened = told.changes.filter(({ before, after }) => before.effect === 'deny' && after.effect === 'allow');
  assert.deepEqual(charges(widened.flatMap(({ entries }) => entries)).toSorted(byText), ['c', 'stolen']);
  assert.equal(told.allowed, 2);
  const { out } = await command('diff', 'old.yaml', 'wider.yaml', '--replay');
  assert.match(
    out,
    /1 call of bank\.pay, such as entry \d+\n {2}- deny \(no-rule\)\n {2}\+ allow \(allowed\) by rules\/0\n/u,
  );
  assert.match(out, /\n2 denials would become an allowance\n$/u);
  const unchanged = await diff('old.yaml', '--replay');
  assert.deepEqual([unchanged.code, unchanged.told.changes], [0, []]);
});

test('without a replay it tells what the text may allow more, and where', async () => {
  write('wider.yaml', (rules) => void rules.push({ allow: 'bank.refund' }));
  const { code, told } = await diff('wider.yaml', '--offline');
  assert.equal(code, 1);
  assert.equal(told.widens.length, 1);
  assert.deepEqual(told.widens[0]?.['file'], 'wider.yaml');
  write('narrower.yaml', (rules) => void rules.push({ deny: 'bank.pay', when: 'args.amount > 3000' }));
  assert.deepEqual([(await diff('narrower.yaml', '--offline')).code], [0]);
  scratch.write('broken.yaml', 'interlock: 1\nrules: [{ allow: bank.pay, wen: "true" }]\n');
  const broken = await command('diff', 'old.yaml', 'broken.yaml', '--offline');
  assert.deepEqual([broken.code, broken.out], [2, '']);
  assert.match(broken.err, /`wen`[^]*the policy `broken\.yaml` does not load\n$/u);
});

test('what is learned loads, allows every call that was made, and denies others [R-learn]', async () => {
  const { code, out, err } = await command('learn');
  assert.deepEqual([code, err], [1, ''], 'the arguments of one call are sealed');
  scratch.write('learned.yaml', out);
  assert.equal((await command('check', '-c', 'learned.yaml', '--offline')).code, 0);
  const { told } = await diff('learned.yaml', '--replay');
  const made = told.changes.filter(({ before, after }) => before.effect === 'allow' && after.effect !== 'allow');
  assert.deepEqual(
    made.map(({ calls }) => calls),
    [1],
  );
  assert.equal(told.allowed, 0);
  const replayed = await command('replay', 'session', '--policy', 'learned.yaml', '--json');
  const { missing } = json(replayed.out);
  assert.equal(missing, 0, 'whatever it allows has an outcome');
});

test('what cannot be learned is told: a rule that stops a call that was made, and arguments that are gone', async () => {
  write('interlock.yaml', (rules, whole) => {
    rules.push({ id: 'never', deny: 'bank.pay', when: 'args.charge == "a"' });
    whole['preset'] = 'read-only';
  });
  const { code, out } = await command('learn', '--json');
  const told = json(out) as unknown as { dropped: string[]; left: number[]; policy: string; calls: number };
  assert.deepEqual([code, told.left.length], [1, 1]);
  assert.deepEqual(told.dropped.toSorted(), ['never', 'preset'], 'the exception that lifted `stolen` was in force');
  assert.match(
    told.policy,
    /^# Written by `interlock learn` from \d+ recorded calls: \d+ rules allow exactly those\.\n/u,
  );
  assert.equal((await command('learn', '--since', 'yesterday')).code, 2);
  const later = json((await command('learn', '--since', '2100-01-01T00:00:00Z', '--json')).out);
  assert.deepEqual([later['calls'], later['rules']], [0, 0]);
});
