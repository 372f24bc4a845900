/** The state directory of a test process and its children: no test writes to the home of whoever runs it. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const STATE_HOME: string = mkdtempSync(join(tmpdir(), 'interlock-state-'));

/** Where commands that are told of no other file keep the checkpoint of a log. */
export const CHECKPOINTS: string = join(STATE_HOME, 'interlock', 'checkpoints');

process.env['XDG_STATE_HOME'] = STATE_HOME;
process.on('exit', () => rmSync(STATE_HOME, { recursive: true, force: true }));
