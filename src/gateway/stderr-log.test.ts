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
