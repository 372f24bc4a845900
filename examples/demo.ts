/**
 * The main job, played: the gateway in front of the official filesystem server and a payment server of ours,
 * a real MCP client, and what happens when the client asks for too much or the gateway dies in between.
 * Needs no terminal, no network and no answer; exits 1 when anything is not as promised.
 */

import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Host } from './demo/host.ts';
import { type Scratch, makeScratch } from './demo/scratch.ts';
import { Story, toldOf } from './demo/story.ts';

const INTERLOCK = path.join(import.meta.dirname, '..', 'bin', 'interlock.js');
const TIME_LIMIT_MS = 55_000;
const PAYMENT = { charge: 'ch_1', amount: 1250, currency: 'eur', to: 'customer c_9' };

const story = new Story();

function openHost(scratch: Scratch): Host {
  return new Host(process.execPath, [INTERLOCK, 'gateway', '-c', scratch.configuration], scratch.directory);
}

function interlock(scratch: Scratch, ...args: readonly string[]): { code: number | null; out: string; err: string } {
  const run = spawnSync(process.execPath, [INTERLOCK, ...args], { cwd: scratch.directory, encoding: 'utf8' });
  return { code: run.status, out: run.stdout, err: run.stderr };
}

async function files(host: Host, scratch: Scratch): Promise<void> {
  story.title('An agent works with files');
  const tools = await host.tools();
  story.note(`    the host sees ${tools.length} tools: ${tools.slice(0, 4).join(', ')}, …`);
  story.promise(!tools.includes('files__move_file'), 'a tool that no rule allows is not even listed');

  const read = await host.call('files__read_text_file', { path: 'notes.txt' });
  story.tell(toldOf('read notes.txt', read, 'the filesystem server returned the file'));
  story.promise(!read.isError && read.text.includes('refund'), 'an allowed read reaches the real server');

  const write = await host.call('files__write_file', { path: 'reply.txt', content: 'We refund 12.50 EUR.\n' });
  const written = path.join(scratch.workspace, 'reply.txt');
  story.tell(toldOf('write reply.txt', write, 'the filesystem server wrote the file'));
  story.promise(!write.isError && existsSync(written), 'an allowed write happened on disk');

  const secret = await host.call('files__read_text_file', { path: '.env' });
  story.tell(toldOf('read .env', secret, 'nothing: the server was not asked'));
  story.promise(
    secret.code === 'denied-by-rule' && !secret.text.includes('not-for-agents'),
    'a denied secret stays secret',
  );

  const escape = await host.call('files__read_text_file', { path: 'x/../../outside.txt' });
  story.tell(toldOf('read x/../../outside.txt', escape, 'nothing: refused before the server saw it'));
  story.promise(escape.code === 'guard-refused', 'a path is judged by where it leads, not by how it looks');

  const hidden = { jsonrpc: '2.0', id: 7, method: 'tools/call' };
  const batch = [{ ...hidden, params: { name: 'files__read_text_file', arguments: { path: '.env' } } }];
  const reply = await host.rawReply(JSON.stringify(batch));
  const told = {
    asked: 'a batch array with a hidden read of .env',
    decided: 'deny malformed',
    done: 'nothing was called',
  };
  story.tell({ ...told, why: (JSON.parse(reply) as { error: { message: string } }).error.message });
  story.promise(
    reply.includes('-32600') && !reply.includes('not-for-agents'),
    'a batch is refused whole, with one error',
  );
}

async function payments(host: Host, scratch: Scratch): Promise<void> {
  story.title('It pays, and asks twice');
  const first = await host.call('payments__create_payment', PAYMENT, 'order-17');
  story.tell(toldOf('pay 12.50 EUR under key order-17', first, `payments made: ${scratch.payments()}`));
  const again = await host.call('payments__create_payment', PAYMENT, 'order-17');
  story.tell(toldOf('the same call again', again, `payments made: ${scratch.payments()}`));
  story.promise(again.replayed && again.text === first.text, 'the second answer is the recorded first one');
  story.promise(scratch.payments() === 1, 'the payment was made once');

  const other = await host.call('payments__create_payment', { ...PAYMENT, amount: 9900 }, 'order-17');
  story.tell(toldOf('the same key with another amount', other, `payments made: ${scratch.payments()}`));
  story.promise(other.code === 'key-conflict' && scratch.payments() === 1, 'a key names one call only');

  const large = await host.call('payments__create_payment', { ...PAYMENT, charge: 'ch_2', amount: 900_000 });
  story.tell(toldOf('pay 9,000.00 EUR', large, `payments made: ${scratch.payments()}`));
  story.promise(large.isError && scratch.payments() === 1, 'an amount no rule allows is not paid');
}

/** Dies between intent and outcome: the payment is made, and nobody hears of it. */
async function crash(host: Host, scratch: Scratch): Promise<void> {
  story.title('The gateway is killed between intent and outcome');
  writeFileSync(scratch.hold, '');
  const lost = host.call('payments__create_payment', { ...PAYMENT, charge: 'ch_3' }, 'order-18').catch(() => undefined);
  await until(() => scratch.payments() === 2);
  await host.kill();
  await lost;
  rmSync(scratch.hold);
  story.tell({
    asked: 'pay 12.50 EUR under key order-18',
    decided: 'allow, state intent',
    done: `SIGKILL after the payment, before its answer; payments made: ${scratch.payments()}`,
    why: 'the intent was durable before the first byte left',
  });
}

async function recovery(host: Host, scratch: Scratch): Promise<void> {
  story.title('After the restart');
  const unknown = await host.call('payments__create_payment', { ...PAYMENT, charge: 'ch_3' }, 'order-18');
  story.tell(toldOf('the same call again', unknown, `payments made: ${scratch.payments()}`));
  story.promise(unknown.code === 'outcome-unknown', 'what is not known is called unknown');
  story.promise(scratch.payments() === 2, 'it is not paid a second time');

  const settled = interlock(scratch, 'settle', unknown.call, 'executed', '--reason', 'seen on the bank statement');
  story.note(`\n    $ interlock settle ${unknown.call} executed --reason "seen on the bank statement"`);
  story.note(`    ${settled.out.trim()}${settled.err.trim()}`);
  const known = await host.call('payments__create_payment', { ...PAYMENT, charge: 'ch_3' }, 'order-18');
  story.tell(toldOf('the same call once more', known, `payments made: ${scratch.payments()}`));
  story.promise(
    settled.code === 0 && known.state === 'settled-executed',
    'a person settled it, and the key answers so',
  );
  story.promise(scratch.payments() === 2, 'three calls, one payment');
}

function evidence(scratch: Scratch): void {
  story.title('The record');
  const log = interlock(scratch, 'log');
  story.note(log.out.trimEnd().replaceAll(/^/gmu, '    '));

  const verified = interlock(scratch, 'verify');
  story.note(`\n    $ interlock verify\n${verified.out.trimEnd().replaceAll(/^/gmu, '    ')}`);
  story.promise(verified.code === 0, 'the whole log verifies');

  const copy = path.join(scratch.directory, 'copy');
  cpSync(scratch.data, copy, { recursive: true });
  const changed = changeOneByte(path.join(copy, 'ledger.db'));
  const found = interlock(scratch, 'verify', copy);
  story.note(`\n    one byte of entry ${changed} is changed in a copy\n    $ interlock verify copy`);
  story.note(`${found.out.trimEnd()}${found.err.trimEnd()}`.replaceAll(/^/gmu, '    '));
  story.promise(found.code === 1, 'one changed byte is found');
}

/** Turns the paid amount of a copy from 1250 into 1150; resolves with the entry's position. */
function changeOneByte(file: string): number {
  const database = new DatabaseSync(file);
  const rows = database.prepare('SELECT position, leaf FROM entries ORDER BY position').all();
  for (const row of rows) {
    const leaf = Buffer.from(row['leaf'] as Uint8Array);
    const at = leaf.indexOf('"amount":1250');
    if (at === -1) continue;
    leaf.write('1150', at + '"amount":'.length);
    database.prepare('UPDATE entries SET leaf = ? WHERE position = ?').run(leaf, Number(row['position']));
    database.close();
    return Number(row['position']);
  }
  database.close();
  throw new Error('no entry with the amount was found');
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
}

function connectLines(): void {
  story.title('Connect a real host');
  story.note('    .mcp.json of your host, in place of the servers Interlock now stands before:\n');
  const server = { command: 'npx', args: ['agent-interlock', 'gateway', '-c', 'interlock.yaml'] };
  const text = JSON.stringify({ mcpServers: { interlock: server } }, null, 2);
  story.note(text.replaceAll(/^/gmu, '    '));
}

async function play(): Promise<void> {
  await using scratch = await makeScratch();
  story.note(`Interlock between an MCP client and two real servers, in ${scratch.directory}`);
  story.note(
    readFileSync(scratch.configuration, 'utf8')
      .slice(readFileSync(scratch.configuration, 'utf8').indexOf('tools:'))
      .replaceAll(/^/gmu, '  | '),
  );
  const host = openHost(scratch);
  try {
    await host.connect();
    await files(host, scratch);
    await payments(host, scratch);
    await crash(host, scratch);
  } catch (error) {
    await host.kill();
    throw new Error(`the gateway said:\n${host.logTail()}`, { cause: error });
  }
  const second = openHost(scratch);
  try {
    await second.connect();
    await recovery(second, scratch);
  } finally {
    const code = await second.close();
    story.promise(code === 0, 'the gateway ends with its input, exit code 0');
  }
  evidence(scratch);
}

const limit = setTimeout(() => {
  process.stderr.write(`the demonstration did not end within ${TIME_LIMIT_MS} ms\n`);
  process.exit(1);
}, TIME_LIMIT_MS);
await play();
clearTimeout(limit);
connectLines();
if (story.broken.length > 0) {
  process.stderr.write(`\nnot as promised:\n${story.broken.map((one) => `  - ${one}`).join('\n')}\n`);
  process.exitCode = 1;
} else story.note('\nEverything was as promised.');
