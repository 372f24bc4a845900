/** A configuration over a server whose tools a test changes, and how often it was started and called. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject } from '../../src/value/json.ts';
import { type Ended, Scratch, run } from './command.ts';

const SERVER = join(import.meta.dirname, 'changing-server.ts');

export const READ: JsonObject = {
  name: 'read',
  description: 'Reads a file.',
  inputSchema: { type: 'object', properties: { path: { type: 'string' } }, required: ['path'] },
  annotations: { readOnlyHint: true },
};
export const WRITE: JsonObject = {
  name: 'write',
  description: 'Writes a file.',
  inputSchema: { type: 'object', properties: { path: { type: 'string' }, size: { type: 'integer' } } },
};

export class Changing extends Scratch {
  /** Writes `interlock.yaml` with a server `files` that offers `tools`. */
  constructor(tools: readonly JsonObject[] = [READ, WRITE], rules = 'rules:\n  - allow: files.*\n') {
    super();
    this.offer(tools);
    this.write('interlock.yaml', `interlock: 1\n${this.servers}${rules}`);
  }

  get servers(): string {
    return `servers:\n  files: { command: ${JSON.stringify(process.execPath)}, args: ${JSON.stringify(this.args)} }\n`;
  }

  get args(): readonly string[] {
    return [SERVER, this.at('tools.json'), this.at('calls')];
  }

  get environment(): Readonly<Record<string, string>> {
    return { PATH: process.env['PATH'] ?? '' };
  }

  offer(tools: readonly JsonObject[]): void {
    this.write('tools.json', JSON.stringify(tools));
  }

  /** `start` for each start of the server, and the name of each tool that was called. */
  get calls(): readonly string[] {
    if (!existsSync(this.at('calls'))) return [];
    return readFileSync(this.at('calls'), 'utf8').trim().split('\n');
  }

  get lock(): string {
    return readFileSync(this.at('interlock.lock'), 'utf8');
  }

  run(...args: readonly string[]): Promise<Ended> {
    return run(args, { directory: this.path, environment: this.environment });
  }
}
