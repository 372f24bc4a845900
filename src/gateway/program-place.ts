/** What the tools for programs work with, and what they answer alike. */

import { couldAllow } from '../policy/decide/decide.ts';
import type { Policy } from '../policy/compile.ts';
import { SAVED_PREFIX } from '../policy/tool/own-programs.ts';
import type { ToolDefinition } from '../policy/tool/tool.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Vault } from '../ledger/vault.ts';
import type { ConfiguredProgram } from '../runtime/configured.ts';
import type { ProgramSource } from '../runtime/catalog.ts';
import type { Runtime, Signalled } from '../runtime/runtime.ts';
import type { NotStartedCode } from '../runtime/start.ts';
import { savedProgram } from '../runtime/saved.ts';
import type { RunView } from '../runtime/view.ts';
import type { Issue } from '../value/issue.ts';
import type { JsonObject } from '../value/json.ts';
import type { World } from '../world/world.ts';
import { type OwnTool, ownTool, refusedAs } from './own.ts';

export interface ProgramPlace {
  readonly runtime: Runtime;
  readonly ledger: Ledger;
  readonly vault: Vault;
  readonly world: World;
  /** Nothing while none is in force. */
  readonly policy: () => Policy | undefined;
  /** Resolves once the tools of all servers that can be reached are known: programs are checked against them. */
  readonly settled: () => Promise<void>;
  /** Who calls. */
  readonly principal: () => string;
  /** Those that the configuration in force names. */
  readonly programs: () => ReadonlyMap<string, ConfiguredProgram>;
}

/** How long a call waits for its run to rest, milliseconds; then it is answered with how the run stands. */
const WAIT_MS = 30_000;
/** Of a call that waits so long, and before for servers that start. */
const TIMEOUT_MS = 60_000;

/** A tool that speaks of programs and their runs. */
export function placedTool(
  { settled }: ProgramPlace,
  definition: ToolDefinition,
  act: (args: JsonObject, key: string) => Promise<JsonObject>,
): OwnTool {
  const perform = async (args: JsonObject, key: string): Promise<JsonObject> => {
    await settled();
    return act(args, key);
  };
  return ownTool(definition, perform, TIMEOUT_MS);
}

type Refusal =
  | NotStartedCode
  | Extract<Signalled, { ok: false }>['code']
  | 'no-such-program'
  | 'secret-found'
  | 'too-many';

const HINTS: Readonly<Record<Refusal, string>> = {
  'policy-invalid': 'nothing can be done until the operator has mended the policy',
  'program-invalid': 'check_program says what is wrong with a program of yours; `interlock check` says it of others',
  'input-invalid': 'list_programs says what input a program takes',
  unproved: 'where the policy lets you, give `acceptUnproved: true`',
  'secret-cannot-wait': 'leave the secret out: a run may wait for days, and no secret is kept that long',
  'no-such-program': 'list_programs says which there are',
  'secret-found': 'leave the secret out: the text of a saved program stays in the log',
  'too-many': 'delete_program frees a name',
  'no-such-run': 'list_runs says which are yours',
  over: 'get_run says how it ended',
  'not-waiting': 'get_run says what it waits for',
  'event-invalid': 'get_program says what its events bring',
  unreadable: 'the operator finds out why: the log of the gateway says it',
};

export function refused(code: Refusal, reason: string, more: JsonObject = {}): JsonObject {
  return refusedAs(code, reason, HINTS[code], more);
}

/** The program of a name as callers write it; nothing when there is none, or it is another principal's. */
export async function sourceOf(place: ProgramPlace, name: string): Promise<ProgramSource | undefined> {
  if (!name.startsWith(SAVED_PREFIX)) return place.programs().get(name)?.source;
  const saved = await savedProgram(place.ledger, place.principal(), name.slice(SAVED_PREFIX.length));
  return saved && { file: name, text: saved.text };
}

/** The run once it rests, or as it stands after a while. */
export async function restedRun({ runtime, world }: ProgramPlace, run: string): Promise<RunView | undefined> {
  const rested = new AbortController();
  // What keeps it from going on was told where that is logged; the run stands as its entries say.
  const settled = runtime.settled(run).catch(() => undefined);
  await Promise.race([settled, world.sleep(WAIT_MS, rested.signal)]);
  rested.abort();
  return runtime.get(run);
}

/** A run of the caller's own; of others nobody learns that they are there. */
export async function ownRun({ runtime, principal }: ProgramPlace, run: string): Promise<RunView | undefined> {
  const view = await runtime.get(run);
  return view?.principal === principal() ? view : undefined;
}

export function noSuchRun(run: string): JsonObject {
  return refused('no-such-run', `there is no run \`${run}\` of yours`);
}

export function noSuchProgram(program: string): JsonObject {
  return refused('no-such-program', `there is no program \`${program}\` for you`);
}

/** The policy as `principal` may know it: what a caller cannot see is not told by what is wrong with its programs. */
export function seenBy(policy: Policy, principal: string): Policy {
  const tools = [...policy.tools].filter(([name]) => couldAllow(policy, principal, name));
  return { ...policy, tools: new Map(tools) };
}

export function toldIssues(issues: readonly Issue[], file: string): readonly JsonObject[] {
  return issues
    .filter((issue) => issue.file === undefined || issue.file === file)
    .map(({ code, severity, message, line, column, hint }) => {
      return { code, severity, message, line, column, ...(hint === undefined ? {} : { hint }) };
    });
}
