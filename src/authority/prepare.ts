/** Gathers what deciding a proposal needs, before the write lock is taken: early gates, keys, real targets. */

import { type GuardedArguments, guardPathArguments } from '../guard/path/arguments.ts';
import type { Vault } from '../ledger/vault.ts';
import type { Policy } from '../policy/compile.ts';
import { admitArguments, admitCaller, couldServe, keyOf } from '../policy/decide/decide.ts';
import type { Decision, Request } from '../policy/decide/decision.ts';
import { canonicalText } from '../value/canonical.ts';
import type { World } from '../world/world.ts';
import { newId } from './draft.ts';
import type { Floods } from './flood.ts';
import type { ExceptedState, ShadowState } from './layers.ts';
import type { Proposal, Reach } from './proposal.ts';
import { NO_SECRETS, type Searching, type Secrets, secretsIn } from './secret.ts';
import { denial } from './sentence.ts';

const CALLER_KEY_MAX = 256;

/** What stays the same from call to call. */
export interface Surroundings extends Searching {
  readonly vault: Vault;
  readonly world: World;
  readonly instance: string;
  /** The log's origin: an approval is for a call of one log. */
  readonly log: string;
  /** The root of a guard as an absolute path. */
  readonly resolveRoot: (within: string) => string;
  /** Absolute real paths no guard lets through: configuration, lock and data directory. */
  readonly protectedPaths: readonly string[];
  /** How many attempts a call may make by itself where that is safe; 1 if not given. */
  readonly attemptsMax?: number;
  /** Digests of what is known to be in the log: basis.ts. Grows with the policies and tools of one process. */
  readonly recorded: Set<string>;
  /** What this process denied lately. */
  readonly floods: Floods;
  /** For probes, and for parked calls that another process was asked for; without it there are none. */
  readonly reach?: Reach;
}

/** The call that a proposal goes on with: known by its id, whatever the keys say. */
export interface Again {
  readonly call: string;
  /** The attempt that is made once more; absent: the call is parked, and is decided again with its answers. */
  readonly attempt?: string;
  /** Nobody waits for the answer. */
  readonly unattended?: true;
  /** Past either of them nothing is sent; absent: the proposal's own time. */
  readonly until?: { readonly wall: number; readonly monotonic: number };
}

/** What was found out of a subject; `call` is the recorded call that asked, where there was one. */
export interface Checked {
  readonly call?: string;
  /** Why the claim does not stand; absent: it does. */
  readonly refused?: string;
}

/** The policy in force, or why there is none. */
export type PolicyState =
  | {
      readonly kind: 'loaded';
      readonly policy: Policy;
      readonly shadow?: ShadowState;
      readonly excepted?: ExceptedState;
    }
  | { readonly kind: 'invalid'; readonly message: string };

export interface Prepared {
  readonly proposal: Proposal;
  readonly state: PolicyState;
  readonly call: string;
  readonly attempt: string;
  /** Monotonic clock at the proposal, milliseconds: a wall clock that jumps back must not prolong a deadline. */
  readonly startedAt: number;
  /** Denied by a gate that comes before the keys. */
  readonly refused: Decision | undefined;
  /** HMACs of the operator's key, the run's and the caller's, those that apply. */
  readonly keys: readonly string[];
  /** Declared `effect: read`: it has no twins. */
  readonly reads: boolean;
  readonly guarded: GuardedArguments;
  /** What is secret of the arguments as they were proposed, and as a guard left them. */
  readonly secrets: { readonly proposed: Secrets; readonly guarded: Secrets };
  readonly canonicalArgs: string;
  readonly salt: Uint8Array;
  /** What was found out of its subject, where the policy has that checked. */
  readonly checked?: Checked;
  /** Set when this proposal has a call behind it. */
  readonly again?: Again;
}

function runOfRequest({ session: id, program }: Proposal): Request['run'] {
  return program === undefined
    ? { id, depth: 0 }
    : { id, depth: program.depth, program: program.program, step: program.step };
}

export function requestOf(proposal: Proposal, call: string, now: number): Request {
  return {
    principal: proposal.principal,
    tool: proposal.tool,
    args: proposal.args,
    call: { id: call, attempt: 1, key: proposal.key ?? '' },
    run: runOfRequest(proposal),
    now,
  };
}

export async function prepare(
  around: Surroundings,
  state: PolicyState,
  proposal: Proposal,
  again?: Again,
): Promise<Prepared> {
  const { vault, world } = around;
  const call = newId(world);
  const request = requestOf(proposal, call, world.now());
  const refused = refusal(state, proposal, request);
  const fresh = { call, attempt: newId(world), startedAt: world.monotonic(), salt: world.random(16) };
  const early = { proposal, state, ...fresh, ...(again === undefined ? {} : { again }) };
  const canonicalArgs = canonicalText(proposal.args);
  const policy = state.kind === 'loaded' ? state.policy : undefined;
  const proposed = secretsIn(around, policy, request, proposal.opened?.secrets);
  const bare = { guarded: { ok: true, args: {} }, secrets: { proposed, guarded: NO_SECRETS }, canonicalArgs } as const;
  if (refused !== undefined || state.kind === 'invalid') {
    const decision = refused ?? denial('policy-invalid', 'no policy is in force');
    return { ...early, refused: decision, keys: [], reads: false, ...bare };
  }
  const key = keyOf(state.policy, request);
  if (!key.ok) {
    const decision = denial(
      'obligation-failed',
      `${proposal.tool} is denied: its key cannot be computed, ${key.reason}`,
    );
    return { ...early, refused: decision, keys: [], reads: false, ...bare };
  }
  const keys: string[] = [];
  if (key.key !== undefined) keys.push(vault.keyHmac('tool', proposal.tool, key.key));
  if (proposal.program !== undefined) keys.push(vault.keyHmac('run', proposal.session, proposal.program.command));
  if (proposal.key !== undefined) keys.push(vault.keyHmac('caller', proposal.principal, proposal.key));
  const guarded = await guard(around, state.policy, proposal);
  const args = guarded.ok ? guarded.args : proposal.args;
  // A path that was resolved is another text.
  const after =
    args === proposal.args ? proposed : secretsIn(around, state.policy, { ...request, args }, proposal.opened?.secrets);
  return {
    ...early,
    refused: undefined,
    keys,
    reads: state.policy.tools.get(proposal.tool)?.effect === 'read',
    guarded,
    secrets: { proposed, guarded: after },
    canonicalArgs,
  };
}

/** The gates before the keys, in the order of docs/policy.md. */
function refusal(state: PolicyState, proposal: Proposal, request: Request): Decision | undefined {
  if (proposal.key !== undefined && (proposal.key === '' || proposal.key.length > CALLER_KEY_MAX)) {
    return denial('malformed', `a key is text of 1 to ${CALLER_KEY_MAX} characters`);
  }
  if (state.kind === 'invalid') return denial('policy-invalid', `no policy is in force: ${state.message}`);
  const decision = admitCaller(state.policy, request);
  const reachable =
    decision === undefined || (decision.code === 'unknown-tool' && couldServe(state.policy, proposal.tool));
  // A server that is there and lacks the tool is no server that is away: the pin's gate says what happened.
  const isGone = state.policy.tools.get(proposal.tool)?.pin.isGone === true;
  if (reachable && !proposal.available && !isGone) {
    return denial('upstream-unavailable', `the server of ${proposal.tool} cannot be reached now`);
  }
  return decision ?? proposal.unopened ?? admitArguments(state.policy, request);
}

export async function guard(
  around: Surroundings,
  policy: Policy,
  proposal: Pick<Proposal, 'tool' | 'args'>,
): Promise<GuardedArguments> {
  const tool = policy.tools.get(proposal.tool);
  const rule = tool?.guard?.path;
  if (tool === undefined || rule === undefined) return { ok: true, args: proposal.args };
  const root = { within: around.resolveRoot(rule.within), protectedPaths: around.protectedPaths };
  return guardPathArguments(root, proposal.args, tool.definition.inputSchema, rule.args);
}
