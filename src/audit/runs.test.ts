import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { deepReport, policyOf } from '../../test/authority-world.ts';
import { type RuntimeWorld, openRuntimeWorld, succeeded } from '../../test/runtime-world.ts';
import { approve } from '../authority/approve.ts';
import type { Entry } from '../ledger/entry.ts';
import { capabilityOf } from '../policy/decide/capability.ts';
import { canonicalText } from '../value/canonical.ts';
import { type Digest, digestOf } from '../value/digest.ts';
import { type JsonObject, type JsonValue, isJsonObject, parseJson } from '../value/json.ts';
import { DeepVerifier } from './deep.ts';
import { History } from './history.ts';
import type { DeepReport } from './deep.ts';
import { member, textOf } from './problem.ts';
import { Runs } from './runs.ts';

const OBJECT = '{ input: { type: object } }';
const POLICY = `
interlock: 1
approvals: { signed: false }
principals: { local: {}, ann: { roles: [finance] } }
tools: { ${['pay', 'mail', 'refund', 'lost', 'fail'].map((name) => `shop.${name}: ${OBJECT}`).join(', ')} }
models: { small: { provider: scripted, file: small.yaml } }
rules:
  - allow: shop.*
  - allow: llm.*
`;
const REFUND = `
program: refund
input: { type: object, required: [charge], properties: { charge: { type: string }, amount: { type: integer } } }
events: { settled: { type: object, required: [ok], properties: { ok: { type: boolean } } } }
start: classify
steps:
  classify: { llm: small, prompt: "refund?", outputs: [yes, no], next: check }
  check: { choose: [{ when: steps.classify.output == "yes", next: approve }, { next: refused }] }
  approve: { ask: finance, show: "Refund?", timeout: 1h, yes: pay, no: refused, expired: refused }
  pay:
    tool: shop.pay
    args: { charge: "\${{ input.charge }}" }
    undo: { tool: shop.refund, args: { id: "\${{ steps.pay.output.id }}" } }
    next: tell
  tell:
    parallel:
      one: { tool: shop.mail, args: { to: one } }
      two: { call: note, input: { n: 1 } }
    next: settled
  settled: { wait: settled, timeout: 1h, next: told, expired: late }
  told: { choose: [{ when: steps.settled.output.ok, next: done }, { next: late }] }
  done: { end: success, output: { id: "\${{ steps.pay.output.id }}" } }
  late: { end: late }
  refused: { end: rejected }
`;
const NOTE = `
program: note
input: { type: object, properties: { n: { type: integer } } }
start: note
steps:
  note: { tool: shop.mail, args: { note: "\${{ input.n }}" }, next: done }
  done: { end: success, output: { noted: true } }
`;

function open(more: Parameters<typeof openRuntimeWorld>[0] = {}): Promise<RuntimeWorld> {
  return openRuntimeWorld({
    policy: POLICY,
    programs: { note: NOTE },
    tools: {
      'shop.pay': ({ charge = '' }) => succeeded({ id: ['r', charge] }),
      'shop.mail': () => succeeded({ sent: true }),
      'shop.refund': () => succeeded(),
      'shop.fail': () => ({ kind: 'failed', output: {} }),
      'llm.small': () => succeeded({ text: 'yes', tokens: { input: 5, output: 1 }, microUsd: 3 }),
    },
    ...more,
  });
}

/** A run up to its wait for `settled`. */
async function toWait(world: RuntimeWorld, charge = 'c1'): Promise<string> {
  const { run } = await world.run(REFUND, { charge });
  const [parked] = await world.ledger.parked();
  await approve(world.ledger, world.world, { call: parked?.id ?? '', by: 'ann', unsigned: true });
  await world.runtime.look();
  assert.equal((await world.rest(run)).status, 'suspended');
  return run;
}

let whole: RuntimeWorld;
before(async () => {
  whole = await open();
  const run = await toWait(whole);
  await whole.runtime.signal(run, 'settled', { ok: true });
  assert.equal((await whole.rest(run)).status, 'success');
});

type Found = readonly (readonly [string, number | undefined])[];
const found = ({ problems }: Pick<DeepReport, 'problems'>): Found => problems.map(({ code, entry }) => [code, entry]);

/** The entries with the `nth` that `isOne` changed. */
function edited(isOne: (entry: Entry) => boolean, change: (entry: Entry) => JsonObject): readonly [Entry[], number] {
  const entries = whole.entries();
  const [position = -1] = entries.flatMap((entry, at) => (isOne(entry) ? [at] : []));
  return [entries.map((entry, at) => (at === position ? { ...entry, ...change(entry) } : entry)), position];
}

const isMoveBy =
  (kind: string, command: string) =>
  (entry: Entry): boolean =>
    member(entry['event'], 'kind') === kind && member(entry['event'], 'command') === command;
const isCallOf =
  (type: string, command: string) =>
  (entry: Entry): boolean =>
    entry.type === type && member(entry['run'], 'command') === command;
const withEvent =
  (more: JsonObject) =>
  ({ event }: Entry): JsonObject => ({ event: { ...(event as JsonObject), ...more } });
const withRun =
  (more: JsonObject) =>
  ({ run }: Entry): JsonObject => ({ run: { ...(run as JsonObject), ...more } });

test('a run with models, people, branches, other programs and events moves again as it did [R-run-again]', () => {
  const report = deepReport(whole);
  assert.deepEqual([report.problems, report.attested], [[], 0]);
});

test('each forged move, event and call of a run is found at its entry [R-run-again]', () => {
  const ended = ({ type, event }: Entry): boolean => type === 'program.ended' && member(event, 'kind') === 'event';
  const attacks: readonly (readonly [string, readonly [Entry[], number], string])[] = [
    ['another status', edited(isMoveBy('call', 'pay/1'), () => ({ status: 'suspended' })), 'run-move'],
    ['another step', edited(isMoveBy('call', 'pay/1'), () => ({ step: 'settled' })), 'run-move'],
    ['a step that was skipped', edited(isMoveBy('answer', 'approve/1'), () => ({ steps: ['tell'] })), 'run-move'],
    ['another wait', edited(isMoveBy('waits', 'approve/1'), () => ({ waits: [] })), 'run-move'],
    [
      'another snapshot',
      edited(isMoveBy('call', 'pay/1'), () => ({ snapshot: `h_${'A'.repeat(43)}` })),
      'run-snapshot',
    ],
    ['an end that was none', edited(isMoveBy('call', 'pay/1'), () => ({ type: 'program.ended' })), 'run-move'],
    ['another end', edited(ended, () => ({ status: 'late' })), 'run-move'],
    ['cheaper than it was', edited(ended, () => ({ spent: { steps: 1 } })), 'run-move'],
    ['a failure of what succeeded', edited(isMoveBy('call', 'pay/1'), withEvent({ end: 'failed' })), 'run-event'],
    [
      'the answer of another call',
      edited(isMoveBy('call', 'pay/1'), withEvent({ of: callOf('classify/1') })),
      'run-event',
    ],
    [
      'an answer to another command',
      edited(isMoveBy('call', 'pay/1'), withEvent({ command: 'classify/1' })),
      'run-event',
    ],
    ['no for a yes', edited(isMoveBy('answer', 'approve/1'), withEvent({ answer: 'no' })), 'run-event'],
    ['late for a yes', edited(isMoveBy('answer', 'approve/1'), withEvent({ answer: 'expired' })), 'run-event'],
    ['fewer tokens', edited(isMoveBy('call', 'classify/1'), withEvent({ tokens: 0 })), 'run-event'],
    [
      'a settlement of nothing',
      edited(isMoveBy('call', 'pay/1'), withEvent({ kind: 'settled', as: 'executed' })),
      'run-event',
    ],
    ['a child that failed', edited(isMoveBy('child', 'tell/1/two'), withEvent({ status: 'failed' })), 'run-event'],
    ['another child', edited(isMoveBy('child', 'tell/1/two'), withEvent({ of: 'x' })), 'run-event'],
    ['a time that is not over', edited(isMoveBy('event', 'settled/1'), withEvent({ kind: 'expired' })), 'run-event'],
    ['no event at all', edited(isMoveBy('call', 'pay/1'), () => ({ event: { kind: 'call', command: 7 } })), 'run-move'],
    ['a call of no step', edited(isCallOf('call.intent', 'pay/1'), withRun({ command: 'pay/2' })), 'run-call'],
    ['a call of another step', edited(isCallOf('call.intent', 'pay/1'), withRun({ step: 'tell' })), 'run-call'],
    ['a call that came too early', edited(isCallOf('call.intent', 'pay/1'), withRun({ seq: 0 })), 'run-call'],
    ['another key', edited(isCallOf('call.intent', 'pay/1'), () => ({ keys: ['h_x'] })), 'run-call'],
    ['other arguments', edited(isCallOf('call.intent', 'pay/1'), () => ({ args: { charge: 'c2' } })), 'run-call'],
    ['a call of no run', edited(isCallOf('call.intent', 'pay/1'), withRun({ id: 'nobody' })), 'run-call'],
    [
      'another input',
      edited(
        ({ type }) => type === 'program.started',
        () => ({ args: { charge: 'c2' } }),
      ),
      'run-snapshot',
    ],
    [
      'a wrong input',
      edited(
        ({ type }) => type === 'program.started',
        () => ({ args: {} }),
      ),
      'run-move',
    ],
    [
      'more that it may do',
      edited(
        ({ type }) => type === 'program.started',
        () => ({ tools: ['shop.pay'] }),
      ),
      'run-move',
    ],
    ['a called run of another id', edited(({ parent }) => parent !== undefined, withRun({ id: 'x' })), 'run-move'],
    [
      'a called run of another input',
      edited(
        ({ parent }) => parent !== undefined,
        () => ({ args: { n: 2 } }),
      ),
      'run-move',
    ],
    ['another program', edited(({ type }) => type === 'program.started', withProgram), 'run-unfounded'],
  ];
  for (const [name, [entries, position], code] of attacks) {
    const problems = found(deepReport(whole, entries));
    assert.ok(position >= 0, name);
    const first = problems.find(([is]) => is.startsWith('run-'));
    assert.deepEqual(first, [code, position], `${name}: ${JSON.stringify(problems)}`);
  }
});

function callOf(command: string): JsonValue {
  return whole.entries().find(isCallOf('call.intent', command))?.['call'] ?? '';
}

function withProgram({ run }: Entry): JsonObject {
  return { run: { ...(run as JsonObject), program: digestOf({}) } };
}

test('a step that is added, left out, moved or made twice is found [R-run-again]', () => {
  const entries = whole.entries();
  const at = entries.findIndex(isMoveBy('call', 'pay/1'));
  const codes = (own: readonly Entry[]): readonly string[] => deepReport(whole, own).problems.map(({ code }) => code);
  const left = entries.filter((_entry, position) => position !== at);
  assert.ok(codes(left).includes('entry-illegal'));
  const swapped = entries.map(
    (entry, position) => entries[position === at ? at + 1 : position === at + 1 ? at : position] ?? entry,
  );
  assert.ok(codes(swapped).length > 0);
  const move = entries[at];
  assert.ok(move !== undefined);
  assert.ok(codes([...entries.slice(0, at + 1), move, ...entries.slice(at + 1)]).includes('entry-illegal'));
  // An effect under the run's name that no step asked for, whole and well formed.
  const injected = {
    ...entries.find(isCallOf('call.intent', 'tell/1/one')),
    call: 'x',
    attempt: 'y',
    keys: ['h_z'],
  } as unknown as Entry;
  const added = found(deepReport(whole, [...entries.slice(0, at), injected, ...entries.slice(at)]));
  assert.ok(added.some(([code, position]) => code === 'run-call' && position === at));
});

test('another text of the program under its digest is found [R-run-again]', () => {
  const [entries, position] = edited(
    ({ type, text }) => type === 'program.content' && textOf(text).includes('classify'),
    ({ text }) => ({
      text: textOf(text).replace('"refused"', '"done"'),
    }),
  );
  assert.ok(found(deepReport(whole, entries)).some(([code, at]) => code === 'content-wrong' && at === position));
  // With digests that fit, the run does not go where that program leads.
  const parsed = parseJson(textOf(entries[position]?.['text']));
  assert.ok(parsed.ok && isJsonObject(parsed.value));
  const digest = digestOf(parsed.value);
  const old = textOf(entries[position]?.['content']);
  const renamed = entries.map((entry) => JSON.parse(canonicalText(entry).replaceAll(old, digest)) as Entry);
  const [problem] = found(deepReport(whole, renamed));
  assert.equal(problem?.[0], 'run-snapshot');
});

test('without the key of the vault moves that need it are taken as recorded, and the others still found [R-run-again]', () => {
  const verify = (entries: readonly Entry[]): DeepReport => {
    const verifier = new DeepVerifier();
    for (const [position, entry] of entries.entries()) verifier.take(entry, position);
    return verifier.report();
  };
  const moves = whole.entries().filter(({ type }) => /^program\.(started|moved|ended)$/u.test(type)).length;
  const clean = verify(whole.entries());
  assert.deepEqual(
    [clean.problems, clean.attestations.filter(({ why }) => !why.includes('condition')).length],
    [[], moves],
  );
  const [skipped, position] = edited(
    ({ type }) => type === 'program.started',
    () => ({ steps: ['pay'] }),
  );
  assert.ok(found(verify(skipped)).some(([code, entry]) => code === 'run-move' && entry === position));
  // What is not known any more still leads from step to step as the program has it.
  const [jumped, at] = edited(isMoveBy('answer', 'approve/1'), () => ({ steps: ['pay', 'settled'] }));
  assert.ok(found(verify(jumped)).some(([code, entry]) => code === 'run-move' && entry === at));
  const [failed] = edited(isMoveBy('call', 'pay/1'), withEvent({ end: 'failed' }));
  assert.ok(found(verify(failed)).some(([code]) => code === 'run-event'));
});

test('what was erased or secret is attested once an entry, and is no problem', async () => {
  const token = `ghp_${'aB3dE5gH7jK9'.repeat(3)}`;
  const world = await open({ tools: { 'shop.pay': () => succeeded({ id: token }), 'shop.refund': () => succeeded() } });
  const { run } = await world.run(`
program: leaky
start: pay
steps:
  pay: { tool: shop.pay, next: next }
  next: { tool: shop.refund, next: done }
  done: { end: success }
`);
  assert.equal((await world.rest(run)).status, 'success');
  const report = deepReport(world);
  assert.deepEqual(report.problems, []);
  const moves = world
    .entries()
    .flatMap(({ type }, at) => (type === 'program.moved' || type === 'program.ended' ? [at] : []));
  assert.deepEqual(
    report.attestations.map(({ entry }) => entry),
    moves,
  );
});

test('a call after its run may do something else is denied for that, and decided so again [R-contract-again]', async () => {
  const world = await open();
  const run = await toWait(world);
  await world.authority.load(policyOf(`${POLICY}  - deny: shop.refund\n    when: args.id == "x"\n`));
  await world.runtime.signal(run, 'settled', { ok: false });
  assert.equal((await world.rest(run)).status, 'late');
  const entries = world.entries();
  const at = entries.findIndex(({ policy }) => member(policy, 'code') === 'contract-violation');
  assert.ok(at > 0);
  assert.deepEqual(deepReport(world).problems, []);
  const change =
    (policy: JsonObject) =>
    (entry: Entry, position: number): Entry =>
      position === at ? { ...entry, policy: { ...(entry['policy'] as JsonObject), ...policy } } : entry;
  for (const policy of [
    { code: 'no-rule' },
    { rules: ['rules/0'] },
    { effect: 'allow', code: 'allowed', rules: ['rules/0'] },
  ]) {
    const codes = deepReport(world, entries.map(change(policy))).problems.map(({ code }) => code);
    assert.ok(codes.includes('decision-wrong'), `${JSON.stringify(policy)}: ${codes.join()}`);
  }
  // And the other way round: nothing had changed.
  const [forged] = edited(isCallOf('call.intent', 'pay/1'), () => ({
    policy: { effect: 'deny', code: 'contract-violation', rules: [] },
  }));
  assert.ok(
    deepReport(whole, forged).problems.some(
      ({ code }) => code === 'decision-facts' || code === 'decision-unfounded' || code === 'decision-wrong',
    ),
  );
});

test('a call under the key of its tool may be one that another run made', async () => {
  const world = await open({
    policy: POLICY.replace(
      `shop.pay: ${OBJECT}`,
      'shop.pay: { input: { type: object, properties: { charge: { type: string } } }, key: args.charge }',
    ),
  });
  const text =
    'program: twice\nstart: pay\nsteps:\n  pay: { tool: shop.pay, args: { charge: k }, next: done }\n  done: { end: success }\n';
  const first = await world.run(text);
  const second = await world.run(text);
  assert.deepEqual([first.status, second.status, world.done.length], ['success', 'success', 1]);
  const report = deepReport(world);
  assert.deepEqual([report.problems, report.attested], [[], 1]);
});

test('what has ended is not kept, however many runs there were', async () => {
  const world = await open();
  const text = 'program: short\nstart: pay\nsteps:\n  pay: { tool: shop.pay, next: done }\n  done: { end: success }\n';
  for (let run = 0; run < 50; run += 1) await world.run(text);
  await toWait(world);
  const history = new History();
  const runs = new Runs(world.vault);
  const sizes = new Set<string>();
  for (const [position, entry] of world.entries().entries()) {
    assert.equal(history.add(entry, position), undefined);
    const output = entry['output'] === undefined ? {} : { output: 'gone' as const };
    assert.equal(runs.look(entry, { ...output, args: entry['args'] }, history.past()).problem, undefined);
    if (entry.type === 'program.ended') sizes.add(JSON.stringify(runs.size));
  }
  assert.deepEqual([...sizes].slice(0, 1), ['{"runs":0,"calls":0}']);
  assert.ok(sizes.size <= 3 && runs.size.runs === 1, [...sizes].join(' '));
});

test('a call that is allowed although its run may do something else now is found, and a denial without reason [R-contract-again]', async () => {
  const changed = policyOf(`${POLICY}  - deny: shop.refund\n    when: args.id == "x"\n`);
  for (const [policy, says] of [
    [changed, policyOf(POLICY)],
    [policyOf(POLICY), changed],
  ] as const) {
    const world = await open();
    const run = await toWait(world);
    const started = world.entries().find(({ type }) => type === 'program.started');
    const program = textOf(member(started?.['run'], 'program')) as Digest;
    await world.authority.load(policy);
    // Whoever proposes it says what the run may do; what it may do the log says.
    const tools = started?.['tools'] as readonly string[];
    const capability = capabilityOf(policy === changed ? changed : says, tools);
    const step = { program, seq: 9, step: 'pay', command: 'undo/pay/1', depth: 0, capability };
    const answer = await world.call('shop.refund', { id: 'c' }, { session: run, program: step });
    assert.equal(answer.state, policy === changed ? 'succeeded' : 'denied');
    const at = world.entries().findLastIndex(({ policy: said }) => said !== undefined);
    const wrong = found(deepReport(world)).filter(([code]) => code === 'decision-wrong');
    assert.deepEqual(wrong, [['decision-wrong', at]]);
  }
});
