/** `interlock replay`: recorded outcomes, each to its own call, and never a live one. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { textOf } from '../../src/audit/problem.ts';
import type { JsonObject } from '../../src/value/json.ts';
import { approver, entriesOf, openTampered, recordEverything, recordedPolicy, rewrite } from '../tampered-log.ts';
import { type Ended, INTERLOCK, Scratch, json, run } from './command.ts';
import { copyData, tamper } from './recorded.ts';

const scratch = new Scratch();
const data = scratch.at('.interlock');
const ann = approver();

before(async () => {
  await recordEverything(data, ann);
  const { ledger, call } = await openTampered(data, recordedPolicy(ann.key));
  await using _ = ledger;
  for (const n of [1, 2]) {
    await call(
      {},
      { kind: 'succeeded', output: { content: [{ type: 'text', text: `balance ${n}` }] } },
      'bank.balance',
    );
  }
});
after(() => scratch[Symbol.dispose]());

interface Told {
  readonly code: number | null;
  readonly ok: boolean;
  readonly differing: number;
  readonly missing: number;
  readonly steps: readonly {
    readonly step: number;
    readonly entry: number;
    readonly tool: string;
    readonly args: JsonObject;
    readonly differs?: string;
    readonly decided: { readonly effect: string; readonly code: string };
    readonly injected?: {
      readonly kind: string;
      readonly state?: string;
      readonly output?: JsonObject;
      readonly why?: string;
    };
  }[];
}

function command(...args: readonly string[]): Promise<Ended> {
  return run(['replay', ...args], { directory: scratch.path });
}

async function replay(...args: readonly string[]): Promise<Told> {
  const { code, out, err } = await command(...args, '--json');
  assert.equal(err, '');
  return { ...(json(out) as unknown as Told), code };
}

function policy(rules: string): string {
  const text = recordedPolicy(ann.key).configuration.data;
  const changed = { ...text, rules: [], servers: { bank: { command: '/nowhere/bank-server' } } };
  return scratch.write('next.yaml', JSON.stringify(changed).replace('"rules":[]', `"rules":${rules}`));
}

test('a session is decided as it was, and every call gets its own outcome [R-replay]', async () => {
  const told = await replay('session');
  assert.deepEqual([told.code, told.ok, told.differing, told.missing], [0, true, 0, 0]);
  const decisions = entriesOf(data).filter(({ type }) => /call\.(?:denied|parked|intent)/u.test(type));
  assert.equal(told.steps.length, decisions.length);
  const balances = told.steps.filter(({ tool }) => tool === 'bank.balance').slice(-2);
  const texts = balances.map(({ injected }) => JSON.stringify(injected?.output));
  assert.match(texts[0] ?? '', /balance 1/u);
  assert.match(texts[1] ?? '', /balance 2/u, 'an equal call gets its own result, not the first');
  assert.deepEqual(
    told.steps.filter(({ injected }) => injected?.state === 'unknown').map(({ args }) => args['charge']),
    ['g'],
  );
});

test('a call is replayed by its id, and what is not recorded is refused', async () => {
  const [step] = (await replay('session')).steps;
  const [entry] = entriesOf(data).slice(step?.entry);
  const told = await replay(textOf(entry?.['call']));
  assert.deepEqual(
    told.steps.map(({ entry: at }) => at),
    [step?.entry],
  );
  const none = await command('nobody');
  assert.deepEqual([none.code, none.out], [2, '']);
  assert.match(none.err, /no session, no run and no call `nobody` is recorded here/u);
  for (const until of ['0', 'x', '-1']) assert.equal((await command('session', '--until', until)).code, 2);
});

test('another policy shows where it would have gone otherwise; what was not sent then has no outcome now [R-replay]', async () => {
  const file = policy('[{"allow":"bank.pay","when":"args.amount > 1500"}]');
  const told = await replay('session', '--policy', file);
  assert.equal(told.code, 1);
  const of = (charge: string) => told.steps.find(({ args }) => args['charge'] === charge);
  assert.deepEqual([of('a')?.decided.code, of('a')?.injected], ['no-rule', undefined]);
  assert.deepEqual([of('b')?.decided.effect, of('b')?.injected?.state], ['allow', 'succeeded']);
  assert.deepEqual([of('c')?.decided.effect, of('c')?.injected?.kind], ['allow', 'miss']);
  assert.match(of('c')?.injected?.why ?? '', /was not allowed then/u);
  assert.equal(of('f')?.decided.code, 'kill-switch', 'the switch was on');
  const { out } = await command('session', '--policy', file);
  assert.match(out, /deny \(no-rule\)\n {6}it was allow \(allowed\) by small\n/u);
  assert.match(out, /no outcome: the log has no outcome for it/u);
});

test('it stops where it is told to, and shows that step whole', async () => {
  const { code, out } = await command('session', '--until', '2');
  assert.equal(code, 0);
  const lines = out.split('\n');
  assert.match(lines[1] ?? '', /^ {3}2 {2}entry \d+ {2}bank\.pay/u);
  assert.match(out, /\n {2}args {4}\{"amount":2000,"charge":"b"\}\n {2}output {2}\{"content":\[\]\}\n/u);
});

test('an outcome that was let go of is a miss, and a decision that was changed differs', async () => {
  const copy = copyData(data, scratch.at('copy'));
  tamper(copy, "DELETE FROM bodies WHERE role = 'output' AND position = (SELECT min(position) FROM bodies)");
  const gone = await replay('session', '--data', copy);
  assert.deepEqual([gone.code, gone.missing, gone.steps[0]?.injected?.why], [1, 1, 'its outcome was erased']);
  const entries = entriesOf(data);
  const edited = entries.map((entry) => {
    const said = entry['policy'] as JsonObject | undefined;
    return said?.['code'] === 'no-rule' ? { ...entry, policy: { ...said, code: 'denied-by-rule' } } : entry;
  });
  rewrite(copyData(data, scratch.at('copy')), edited, 'all');
  const wrong = await replay('session', '--data', copy);
  assert.deepEqual([wrong.code, wrong.differing], [1, 1]);
});

test('nothing is started and no connection opened, whatever the policy allows and wherever its servers are [R-replay]', () => {
  const file = policy('[{"allow":"*"}]');
  const preload = join(import.meta.dirname, '../refuse-world.ts');
  const options = { cwd: scratch.path, encoding: 'utf8' } as const;
  const guarded = (...args: readonly string[]) =>
    spawnSync(process.execPath, ['--import', preload, INTERLOCK, ...args], options);
  const replayed = guarded('replay', 'session', '--policy', file, '--json');
  assert.deepEqual([replayed.status, replayed.stderr], [1, '']);
  const steps = (json(replayed.stdout) as unknown as Told).steps;
  assert.ok(steps.filter(({ injected }) => injected?.kind === 'miss').length > 2, 'allowed now, and not sent');
  const asked = guarded('check', '-c', file);
  assert.deepEqual([asked.status, asked.stderr.includes('reached out: spawn')], [99, true], 'the guard stands');
});
