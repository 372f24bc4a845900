/** A host that floods a real gateway with calls that are denied, and with lines that are no messages. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { GatewayProcess, INTERLOCK, paymentsPlace } from './gateway-process.ts';

interface Line {
  readonly type: string;
  readonly count?: number;
  readonly code?: string;
  readonly policy?: { readonly code?: string };
}

const DENIED = 5_000;
const BAD_LINES = 3_000;
/** Fewer than a gateway takes at once. */
const TOGETHER = 1_000;

test('5,000 denied calls and 3,000 bad lines are 42 entries, and the log verifies deeply [R-floods]', async (t) => {
  using place = paymentsPlace({ more: '  - { id: none, deny: payments.create_payment, when: args.amount == 100 }' });
  const interlock = (...args: readonly string[]): string =>
    spawnSync(process.execPath, [INTERLOCK, ...args], { cwd: place.directory, encoding: 'utf8' }).stdout;
  const gateway = new GatewayProcess(place);
  t.after(() => gateway.kill());
  await gateway.hello();
  for (let sent = 0; sent < DENIED; sent += TOGETHER) {
    const answers = await Promise.all(Array.from({ length: TOGETHER }, (_, each) => gateway.pay(`ch_${sent + each}`)));
    for (const { isError, content, _meta } of answers) {
      assert.deepEqual([isError, _meta['interlock/decision']?.code], [true, 'denied-by-rule']);
      assert.equal(_meta['interlock/call'].state, 'denied');
      assert.match(content[0]?.text ?? '', /none/u);
    }
  }
  gateway.process.stdin.write('{"jsonrpc":"2.0",\n'.repeat(BAD_LINES));
  // What is asked after them is answered after them.
  assert.equal((await gateway.pay('last'))._meta['interlock/decision']?.code, 'denied-by-rule');
  assert.equal(await gateway.close(), 0);

  const lines = interlock('log', '--json').split('\n').slice(0, -1);
  const entries = lines.map((line) => JSON.parse(line) as Line);
  const denied = (code: string): number => entries.filter(({ policy }) => policy?.code === code).length;
  const counted = (wanted: string): readonly (number | undefined)[] =>
    entries.filter(({ type, code }) => type === 'denial.repeated' && code === wanted).map(({ count }) => count);
  assert.deepEqual([denied('denied-by-rule'), counted('denied-by-rule')], [20, [DENIED + 1 - 20]]);
  assert.deepEqual([denied('malformed'), counted('malformed')], [20, [BAD_LINES - 20]]);
  assert.deepEqual(place.paid(), []);
  const { verdict, problems } = JSON.parse(interlock('verify', '--deep', '--json')) as Record<string, unknown>;
  assert.deepEqual([verdict, problems], ['ok', []]);
  const shown = interlock('log', '--tool', 'payments.create_payment', '--effect', 'deny').split('\n').slice(0, -1);
  assert.equal(shown.length, 21);
  assert.match(shown.at(-1) ?? '', /denial\.repeated +4,981 more denied-by-rule  payments\.create_payment  from /u);
});
