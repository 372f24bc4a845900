/** The scratch workspace of the demonstration: files, a policy, and where effects are counted. */

import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';

export interface Scratch extends AsyncDisposable {
  readonly directory: string;
  readonly workspace: string;
  readonly configuration: string;
  readonly data: string;
  /** While this file exists the payment server does not answer. */
  readonly hold: string;
  /** Payments made so far, counted in the payment server's own file. */
  payments(): number;
}

const FILESYSTEM = createRequire(import.meta.url).resolve('@modelcontextprotocol/server-filesystem/dist/index.js');
const PAYMENTS = path.join(import.meta.dirname, '..', 'payments-server.ts');

export async function makeScratch(): Promise<Scratch> {
  const directory = await realpath(await mkdtemp(path.join(os.tmpdir(), 'interlock-demo-')));
  const workspace = path.join(directory, 'workspace');
  const configuration = path.join(directory, 'interlock.yaml');
  const file = path.join(directory, 'payments.jsonl');
  const hold = path.join(directory, 'hold');
  await mkdir(workspace);
  // Inherited by every gateway and command: the demo leaves nothing in anybody's home.
  process.env['XDG_STATE_HOME'] = path.join(directory, 'state');
  await writeFile(path.join(workspace, 'notes.txt'), 'Customer c_9 asks for a refund of 12.50 EUR.\n');
  await writeFile(path.join(workspace, '.env'), 'PAYMENTS_TOKEN=not-for-agents\n');
  await writeFile(path.join(directory, 'outside.txt'), 'a file beside the workspace\n');
  await writeFile(configuration, policy(file, hold));
  return {
    directory,
    workspace,
    configuration,
    hold,
    data: path.join(directory, '.interlock'),
    payments: () =>
      existsSync(file)
        ? readFileSync(file, 'utf8')
            .split('\n')
            .filter((line) => line !== '').length
        : 0,
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}

function policy(file: string, hold: string): string {
  return `interlock: 1

servers:
  files:
    command: ${JSON.stringify(process.execPath)}
    args: [${JSON.stringify(FILESYSTEM)}, ./workspace]
  payments:
    command: ${JSON.stringify(process.execPath)}
    args: [${JSON.stringify(PAYMENTS)}, --file, ${JSON.stringify(file)}, --hold, ${JSON.stringify(hold)}]

tools:
  files.*:                 { guard: { path: { within: ./workspace } } }
  files.read_*:            { effect: read }
  files.list_*:            { effect: read }
  files.write_file:        { effect: write }
  payments.create_payment: { effect: irreversible }
  payments.get_payment:    { effect: read }

rules:
  - allow: files.*
    when: tool.effect == "read"
  - allow: files.write_file
    when: args.content.size() < 100000
  - deny: files.*
    when: '"path" in args && args["path"].endsWith(".env")'
    because: agents do not touch secrets
  - deny: files.read_multiple_files
    when: args.paths.exists(path, path.endsWith(".env"))
    because: agents do not touch secrets
  - allow: payments.get_payment
  - allow: payments.create_payment
    when: args.amount <= 20000 && args.currency in ["usd", "eur"]
`;
}
