/** Changes of the configuration at run time: what may allow more waits for a signature, what narrows applies at once. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfiguration } from '../../src/cli/configuration.ts';
import { textOf } from '../../src/cli/entry-filter.ts';
import { Session } from '../../src/cli/session.ts';
import type { Entry } from '../../src/ledger/entry.ts';
import { parseEntry } from '../../src/ledger/entry.ts';
import { signedText } from '../../src/ledger/signed-text.ts';
import { signerFromSeed } from '../../src/ledger/signer.ts';
import { openLedger } from '../../src/ledger/sqlite/store.ts';
import { openVault } from '../../src/ledger/vault.ts';
import { Authority } from '../../src/authority/authority.ts';
import { draft } from '../../src/authority/draft.ts';
import { toBase64, utf8 } from '../../src/value/encoding.ts';
import type { JsonObject } from '../../src/value/json.ts';
import { systemWorld } from '../../src/world/system.ts';
import { type Ended, Scratch, fakeTerminal, json, run } from './command.ts';
import { leaves } from './recorded.ts';
import { CHECKPOINTS } from '../state-home.ts';

const TOOL = 'tools: { bank.pay: { input: { type: object, properties: { amount: {type: integer} } } } }\n';
const rules = (max: number): string => `rules:\n  - allow: bank.pay\n    when: args.amount <= ${max}\n`;
const NOBODY = `interlock: 1\n${TOOL}`;

/** A configuration file with approvers, a session that has taken it, and the commands of a person beside it. */
class Desk extends Scratch {
  readonly environment = { XDG_CONFIG_HOME: this.at('config'), INTERLOCK_PASSPHRASE: 'correct horse' };
  readonly data: string = this.at('.interlock');
  readonly log: string[] = [];
  head = NOBODY;
  changes = 0;

  command(...args: readonly string[]): Promise<Ended> {
    return run(args, { directory: this.path, environment: this.environment });
  }

  async approver(id: string): Promise<string> {
    const { out } = await this.command('approver', 'add', id, '--json');
    const line = `  ${id}: { key: "${String(json(out)['key'])}" }\n`;
    this.head = this.head === NOBODY ? `${NOBODY}principals:\n  local: {}\n${line}` : this.head + line;
    return line;
  }

  /** Writes the file and lets the session take it. */
  async take(session: Session, text: string): Promise<void> {
    this.write('interlock.yaml', text);
    session.take(await loadConfiguration(fakeTerminal({ directory: this.path }), { json: false }));
    await session.recorded();
  }

  entries(type: string): readonly Entry[] {
    return leaves(this.data).flatMap((leaf) => {
      const parsed = parseEntry(utf8(leaf));
      return parsed.ok && parsed.value.type === type ? [parsed.value] : [];
    });
  }

  waiting(): string {
    return textOf(this.entries('policy.waiting').at(-1)?.['reload']) ?? '';
  }
}

/** Runs `work` with a session over the desk's data directory; `look` lets it look for answers once. */
async function inSession(
  desk: Desk,
  work: (
    session: Session,
    look: () => Promise<void>,
    append: (type: Entry['type'], fields: JsonObject) => Promise<void>,
    log: string,
  ) => Promise<void>,
): Promise<void> {
  const vault = openVault(desk.data, systemWorld);
  const outside = { kind: 'default', directory: CHECKPOINTS } as const;
  await using ledger = await openLedger({ dataDirectory: desk.data, world: systemWorld, vault, outside });
  const authority = new Authority(ledger, {
    vault,
    world: systemWorld,
    resolveRoot: (root) => root,
    protectedPaths: [],
  });
  const load = (): ReturnType<typeof loadConfiguration> =>
    loadConfiguration(fakeTerminal({ directory: desk.path }), { json: false });
  let wakes: (() => void) | undefined;
  let asleep = Promise.withResolvers<void>();
  const world = {
    ...systemWorld,
    sleep: (_ms: number, signal?: AbortSignal): Promise<void> =>
      new Promise((resolve) => {
        signal?.addEventListener('abort', () => resolve(), { once: true });
        wakes = resolve;
        asleep.resolve();
      }),
  };
  const session = new Session({
    authority,
    ledger,
    world,
    id: 's',
    load,
    log: (line) => void desk.log.push(line),
    show: () => {},
  });
  const stop = new AbortController();
  const looking = session.answers(stop.signal, () => (desk.changes += 1));
  const look = async (): Promise<void> => {
    await asleep.promise;
    asleep = Promise.withResolvers();
    wakes?.();
    await asleep.promise;
    await session.recorded();
  };
  const append = (type: Entry['type'], fields: JsonObject): Promise<void> =>
    ledger.append({ entries: [draft(systemWorld, type, fields)] });
  try {
    await work(session, look, append, ledger.log);
  } finally {
    stop.abort();
    await looking;
  }
}

const max = (session: Session): string | undefined => session.configuration?.rules[0]?.when?.text;

test('a change that may allow more waits for the signature of an approver of the policy in force [R-widening]', async () => {
  using desk = new Desk();
  await desk.approver('ann');
  await inSession(desk, async (session, look) => {
    await desk.take(session, desk.head + rules(10));
    await desk.take(session, desk.head + rules(20));
    assert.equal(max(session), 'args.amount <= 10');
    const [entry] = desk.entries('policy.waiting');
    assert.match(
      JSON.stringify(entry?.['widens']),
      /interlock\.yaml:\d+:5: rules\/0 allows what no rule allowed before/u,
    );
    const listed = await desk.command('approvals');
    assert.match(listed.out, /^no call waits.*\nchange reload-[0-9a-f]{16}, since /u);
    assert.match(listed.out, /may widen {2}interlock\.yaml:/u);
    await look();
    assert.equal(max(session), 'args.amount <= 10');

    const approved = await desk.command('approve', desk.waiting(), '--as', 'ann');
    assert.deepEqual([approved.code, approved.out], [0, `${desk.waiting()} is approved by ann\n`]);
    assert.match(approved.err, /may widen/u);
    await look();
    assert.deepEqual([max(session), desk.changes], ['args.amount <= 20', 1]);
    assert.equal(desk.entries('policy.loaded').at(-1)?.['reload'], desk.waiting());
    assert.equal((await desk.command('approve', desk.waiting(), '--as', 'ann')).code, 1);
  });
  assert.equal((await desk.command('verify')).code, 0);
});

test('a narrowing applies at once, and without approvers a widening is recorded with what it widens [R-widening]', async () => {
  using desk = new Desk();
  await desk.approver('ann');
  await inSession(desk, async (session) => {
    await desk.take(session, desk.head + rules(10));
    await desk.take(session, desk.head + rules(5));
    assert.equal(max(session), 'args.amount <= 5');
    assert.deepEqual(desk.entries('policy.waiting'), []);
  });
  using other = new Desk();
  await inSession(other, async (session) => {
    await other.take(session, NOBODY + rules(10));
    await other.take(session, NOBODY + rules(20));
    assert.equal(max(session), 'args.amount <= 20');
    assert.match(JSON.stringify(other.entries('policy.loaded').at(-1)?.['widens']), /rules\/0 allows/u);
  });
});

test('whoever is an approver only in the file that waits cannot sign it, and keys are not taken away unsigned', async () => {
  using desk = new Desk();
  await desk.approver('ann');
  await inSession(desk, async (session, look, append, log) => {
    const before = desk.head;
    await desk.take(session, before + rules(10));
    await desk.approver('eve');
    await desk.take(session, desk.head + rules(10));
    assert.equal((await desk.command('approve', desk.waiting(), '--as', 'eve')).code, 2);

    // By hand, as somebody who may write entries: with a key of their own, and with the name of somebody who may sign.
    const eve = signerFromSeed(new Uint8Array(32).fill(9));
    const waiting = desk.entries('policy.waiting').at(-1);
    const fields = {
      reload: desk.waiting(),
      before: textOf(waiting?.['before']) ?? '',
      after: textOf(waiting?.['after']) ?? '',
    };
    const own = { ...fields, by: 'ann', key: `ed25519:${toBase64(eve.publicKey)}` };
    const text = signedText('policy.approved', log, own) ?? '';
    await append('policy.approved', { ...own, signature: toBase64(eve.sign(utf8(text))) });
    await look();
    assert.deepEqual([session.configuration?.principals?.size, desk.changes], [2, 0]);
    assert.match(desk.log.at(-1) ?? '', /nobody who may sign has signed/u);

    await desk.take(session, NOBODY + rules(10));
    assert.equal(session.configuration?.principals?.size, 2);
    assert.match(desk.log.join('\n'), /other principals/u);
  });
});

test('an approval is for one change, once: not for another content, and not for the same change later', async () => {
  using desk = new Desk();
  await desk.approver('ann');
  await inSession(desk, async (session, look) => {
    await desk.take(session, desk.head + rules(10));
    await desk.take(session, desk.head + rules(20));
    const first = desk.waiting();
    assert.equal((await desk.command('approve', first, '--as', 'ann')).code, 0);
    // Between the signature and the look somebody writes something else.
    desk.write('interlock.yaml', desk.head + rules(1_000));
    await look();
    assert.equal(max(session), 'args.amount <= 10');
    assert.notEqual(desk.waiting(), first);

    await desk.take(session, desk.head + rules(20));
    assert.equal(max(session), 'args.amount <= 10');
    await look();
    assert.equal(max(session), 'args.amount <= 10');
    // What the file does not say any more waits no more.
    const { out } = await desk.command('approvals', '--json');
    assert.deepEqual(
      (json(out)['reloads'] as { id: string }[]).map(({ id }) => id),
      [desk.waiting()],
    );
    const refused = await desk.command('refuse', desk.waiting(), '--reason', 'no');
    assert.equal(refused.code, 0, refused.err);
    await look();
    assert.deepEqual([max(session), desk.changes], ['args.amount <= 10', 0]);
    assert.match(desk.log.at(-1) ?? '', /refused by `os:[^`]*`: no$/u);
  });
});

test('a bad file keeps the policy in force, and that is recorded with why', async () => {
  using desk = new Desk();
  await inSession(desk, async (session) => {
    await desk.take(session, NOBODY + rules(10));
    const kept = String(session.configuration?.digest);
    await desk.take(session, 'interlock: 1\nruels: []\n');
    assert.equal(max(session), 'args.amount <= 10');
    const [entry] = desk.entries('policy.refused');
    assert.deepEqual(entry?.['kept'], kept);
    assert.match(textOf(entry?.['message']) ?? '', /^interlock\.yaml:2:1: .*ruels/u);
  });
});

test('two gateways that wait for one change share it, and one signature is enough', async () => {
  using desk = new Desk();
  await desk.approver('ann');
  await inSession(desk, (one, lookOne) =>
    inSession(desk, async (two, lookTwo) => {
      for (const session of [one, two]) await desk.take(session, desk.head + rules(10));
      for (const session of [one, two]) await desk.take(session, desk.head + rules(20));
      assert.equal(desk.entries('policy.waiting').length, 1);
      assert.equal((await desk.command('approve', desk.waiting(), '--as', 'ann')).code, 0);
      await lookOne();
      await lookTwo();
      assert.deepEqual([max(one), max(two)], ['args.amount <= 20', 'args.amount <= 20']);
    }),
  );
});
