/** `interlock settle CALL executed|not-executed`: a person says what happened to a call of unknown outcome. */

import { readFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Authority } from '../../authority/authority.ts';
import { settle } from '../../authority/settle.ts';
import { renderIssue } from '../../value/issue.ts';
import { fromUtf8 } from '../../value/encoding.ts';
import { type JsonValue, parseJson } from '../../value/json.ts';
import { JSON_LIMITS } from '../../value/limits.ts';
import { systemWorld } from '../../world/system.ts';
import { type CommonOptions, dataDirectory } from '../configuration.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import { openData } from '../data.ts';
import { type Terminal, readAll, writeLine } from '../terminal.ts';

export interface SettleOptions extends CommonOptions {
  readonly call: string;
  readonly outcome: string;
  readonly reason: string;
  readonly output?: string;
}

export async function settleCommand(terminal: Terminal, options: SettleOptions): Promise<ExitCode> {
  const { outcome, call } = options;
  if (outcome !== 'executed' && outcome !== 'not-executed') {
    throw new CliError('usage', `expected executed or not-executed, got \`${outcome}\``);
  }
  if (options.reason.trim() === '') throw new CliError('usage', 'a settlement needs a reason', { hint: '--reason TEXT' });
  if (options.output !== undefined && outcome === 'not-executed') {
    throw new CliError('usage', 'a call that was not executed has no output');
  }
  const output = options.output === undefined ? undefined : await readOutput(terminal, options.output);
  await using data = await openData(dataDirectory(terminal, options), { create: false });
  const around = { vault: data.vault, world: systemWorld, resolveRoot: (within: string) => within, protectedPaths: [] };
  // What a dead process left behind is `unknown` first; only then can it be settled.
  await new Authority(data.ledger, around).recover();
  const settled = await settle(data.ledger, around, {
    ...{ call, as: outcome, by: `os:${os.userInfo().username}`, reason: options.reason },
    ...(output === undefined ? {} : { output }),
  });
  if (options.json) {
    const answer = settled.ok ? { ok: true, call, as: outcome } : { ok: false, code: settled.code, message: settled.message };
    writeLine(terminal.output, JSON.stringify(answer));
  } else if (settled.ok) {
    writeLine(terminal.output, `call ${call} (${settled.row.tool}) is settled: ${outcome}`);
  } else {
    writeLine(terminal.errors, `interlock: ${settled.message} [${settled.code}]`);
  }
  if (settled.ok) return EXIT.ok;
  return settled.code === 'no-such-call' ? EXIT.usage : EXIT.wrong;
}

async function readOutput(terminal: Terminal, file: string): Promise<JsonValue> {
  const bytes = file === '-' ? await readAll(terminal.input, JSON_LIMITS.bytesMax) : await read(terminal, file);
  if (bytes === undefined) throw new CliError('unreadable', `the output is larger than ${JSON_LIMITS.bytesMax} bytes`);
  const parsed = parseJson(bytes);
  if (parsed.ok) return parsed.value;
  const shown = parsed.issues.map((issue) => renderIssue({ ...issue, file }, fromUtf8(bytes))).join('\n');
  writeLine(terminal.errors, shown);
  throw new CliError('unreadable', `\`${file}\` is not JSON`);
}

async function read(terminal: Terminal, file: string): Promise<Uint8Array> {
  try {
    return await readFile(path.resolve(terminal.directory, file));
  } catch (error) {
    throw new CliError('unreadable', `\`${file}\` cannot be read (${(error as NodeJS.ErrnoException).code ?? 'error'})`, {
      cause: error,
    });
  }
}
