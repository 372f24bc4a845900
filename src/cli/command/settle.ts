/** `interlock settle CALL executed|not-executed`: a person says what happened to a call of unknown outcome. */

import { Authority } from '../../authority/authority.ts';
import { type Settled, settle } from '../../authority/settle.ts';
import { fromUtf8 } from '../../value/encoding.ts';
import { type JsonValue, parseJson } from '../../value/json.ts';
import { JSON_LIMITS } from '../../value/limits.ts';
import { systemWorld } from '../../world/system.ts';
import { type CommonOptions, requireNamed } from '../configuration.ts';
import { openData } from '../data.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import { readNamed } from '../file.ts';
import { showIssues } from '../issues.ts';
import { reasonOf, systemUser } from '../reason.ts';
import { type Terminal, inert, inertJson, writeLine } from '../terminal.ts';

export interface SettleOptions extends CommonOptions {
  readonly call: string;
  readonly outcome: string;
  readonly reason: string;
  readonly output?: string;
}

type Outcome = 'executed' | 'not-executed';

export async function settleCommand(terminal: Terminal, options: SettleOptions): Promise<ExitCode> {
  const { call } = options;
  const as = outcomeOf(options);
  const reason = reasonOf(options.reason, 'a settlement');
  const output = options.output === undefined ? undefined : await readOutput(terminal, options.output);
  await requireNamed(terminal, options);
  await using data = await openData(terminal, options, { create: false });
  const around = { vault: data.vault, world: systemWorld, resolveRoot: (within: string) => within, protectedPaths: [] };
  // What a dead process left behind is `unknown` first; only then can it be settled.
  await new Authority(data.ledger, around).recover();
  const said = output === undefined ? {} : { output };
  const settled = await settle(data.ledger, around, { call, as, by: systemUser(), reason, ...said });
  tell(terminal, options, as, settled);
  if (settled.ok) return EXIT.ok;
  return settled.code === 'no-such-call' ? EXIT.usage : EXIT.wrong;
}

function tell(terminal: Terminal, { call, json }: SettleOptions, as: Outcome, settled: Settled): void {
  if (json) {
    const { ok } = settled;
    const answer = settled.ok ? { ok, call, as } : { ok, code: settled.code, message: settled.message };
    writeLine(terminal.output, inertJson(answer));
  } else if (settled.ok) {
    writeLine(terminal.output, `call ${inert(call)} (${inert(settled.row.tool)}) is settled: ${as}`);
  } else {
    writeLine(terminal.errors, `interlock: ${inert(settled.message)} [${settled.code}]`);
  }
}

function outcomeOf({ outcome, output }: SettleOptions): Outcome {
  if (outcome !== 'executed' && outcome !== 'not-executed') {
    throw new CliError('usage', `expected executed or not-executed, got \`${outcome}\``);
  }
  if (outcome === 'not-executed' && output !== undefined) {
    throw new CliError('usage', 'a call that was not executed has no output', { hint: 'leave --output out' });
  }
  return outcome;
}

async function readOutput(terminal: Terminal, file: string): Promise<JsonValue> {
  const bytes = await readNamed(terminal, file, JSON_LIMITS.bytesMax);
  const shown = file === '-' ? '<stdin>' : file;
  const parsed = parseJson(bytes);
  if (parsed.ok) return parsed.value;
  showIssues(terminal, parsed.issues, shown, fromUtf8(bytes));
  throw new CliError('unreadable', `\`${shown}\` is not JSON`);
}
