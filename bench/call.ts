/** What one whole guarded call costs beside two bare fsyncs of the same run: decide, durable intent, durable outcome. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Authority } from '../src/authority/authority.ts';
import { openLedger } from '../src/ledger/sqlite/store.ts';
import { openVault } from '../src/ledger/vault.ts';
import { compilePolicy } from '../src/policy/compile.ts';
import { parseConfiguration } from '../src/policy/document/configuration.ts';
import { newId } from '../src/authority/draft.ts';
import { systemWorld } from '../src/world/system.ts';
import { machine, measureCallers, measureDisk, row } from './measure.ts';

const POLICY = `
interlock: 1
tools:
  bank.pay:
    input: { type: object, required: [charge, amount], properties: { charge: {type: string}, amount: {type: integer} } }
    key: args.charge
rules:
  - allow: bank.pay
    when: args.amount <= 20000
`;
const CALLERS = [1, 8, 32, 128];

async function main(directory: string): Promise<void> {
  console.log(machine());
  const disk = measureDisk(directory);
  const base = { ...disk, perSecond: disk.perSecond / 2, p50: 2 * disk.p50, p99: 2 * disk.p99 };
  row('two raw write + fdatasync (base)', base, base);

  const parsed = parseConfiguration(POLICY, { file: 'interlock.yaml', environment: {} });
  const policy = parsed.ok ? compilePolicy(parsed.value, new Map()).policy : undefined;
  if (policy === undefined) throw new Error('the policy of this benchmark does not compile');
  const data = join(directory, 'data');
  const vault = openVault(data, systemWorld);
  await using ledger = await openLedger({ dataDirectory: data, world: systemWorld, vault });
  const around = { vault, world: systemWorld, resolveRoot: (within: string) => within, protectedPaths: [] };
  const authority = new Authority(ledger, around);
  await authority.load(policy);
  const call = async (): Promise<void> => {
    const answer = await authority.call({
      principal: 'local',
      session: 'bench',
      tool: 'bank.pay',
      args: { charge: newId(systemWorld), amount: 100 },
      timeoutMs: 60_000,
      signal: new AbortController().signal,
      available: true,
      perform: () => Promise.resolve({ kind: 'succeeded', output: { paid: true } }),
    });
    if (answer.state !== 'succeeded') throw new Error(`a call ended ${answer.state}: ${answer.sentence}`);
  };
  for (const callers of CALLERS) {
    const before = ledger.stats();
    const measured = await measureCallers(callers, call);
    const after = ledger.stats();
    const calls = (after.entries - before.entries) / 2;
    const fsyncs = ((after.transactions - before.transactions) / calls).toFixed(2);
    row(`guarded calls, ${callers} callers`, measured, base, `, ${fsyncs} fsyncs a call`);
  }
}

const directory = mkdtempSync(join(tmpdir(), 'interlock-bench-'));
try {
  await main(directory);
} finally {
  rmSync(directory, { recursive: true, force: true });
}
