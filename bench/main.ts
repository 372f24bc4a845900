/** `npm run bench -- NAME…`: runs the named benchmarks one after the other, or all of them. */

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const NAMES = ['call', 'ledger', 'decide', 'agentdojo', 'evidence', 'secrets', 'programs'];

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !NAMES.includes(name) && !name.startsWith('--'));
if (unknown.length > 0) {
  console.error(`there is no benchmark ${unknown.join(', ')}; there are ${NAMES.join(', ')}`);
  process.exit(2);
}
const options = asked.filter((name) => name.startsWith('--'));
const named = asked.filter((name) => !name.startsWith('--'));
for (const name of named.length === 0 ? NAMES : named) {
  console.log(`\n${name}`);
  const { status } = spawnSync(process.execPath, [join(import.meta.dirname, `${name}.ts`), ...options], {
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(status ?? 1);
}
