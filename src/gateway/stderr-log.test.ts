import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { once } from 'node:events';
import { test } from 'node:test';
import { createManualWorld } from '../../test/manual-world.ts';
import { logStderr } from './stderr-log.ts';

test('what a server says is logged line by line, without addresses and numbers of people', async () => {
  const input = new PassThrough();
  const lines: string[] = [];
  logStderr(input, 'crm', (line) => lines.push(line), createManualWorld());
  input.write('mailed bob@exam');
  input.write('ple.com\u001b[2J\ncalled +49 30 901820\n');
  input.end('no such user: bob@example.com');
  await once(input, 'end');
  assert.deepEqual(lines, ['[crm] mailed [email]·[2J', '[crm] called [phone]', '[crm] no such user: [email]']);
});

test('what a server says is logged without secrets, however long their lines and however many', async () => {
  const input = new PassThrough();
  const lines: string[] = [];
  const token = `ghp_${'aB3dE5gH7jK9'.repeat(3)}`;
  logStderr(input, 'crm', (line) => lines.push(line), createManualWorld());
  input.write(`token ${token}!\n${'x'.repeat(980)} ${token}\n`);
  input.write(`key -----BEGIN PRIVATE KEY-----\n${'MIIcanary\n'.repeat(30)}-----END PRIVATE KEY-----\nplain\n`);
  input.write(`-----BEGIN PRIVATE KEY-----\n${'never ends\n'.repeat(401)}`);
  input.end('goes on');
  await once(input, 'end');
  assert.equal(lines[0], '[crm] token [secret: github]!');
  assert.equal(lines[1], `[crm] ${'x'.repeat(980)} [secret: github]`);
  assert.deepEqual(lines.slice(2, 5), [
    '[crm] key -----BEGIN PRIVATE KEY-----',
    '[crm] plain',
    '[crm] -----BEGIN PRIVATE KEY-----',
  ]);
  assert.deepEqual(lines.slice(5), ['[crm] never ends', '[crm] goes on']);
});
