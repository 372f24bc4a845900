/** A run from its entries: where it stands follows from how it started and from every event since. */

import { recordedArgs } from '../authority/asked.ts';
import { resultOf } from '../authority/result.ts';
import { contentText } from '../ledger/content-text.ts';
import type { Entry } from '../ledger/entry.ts';
import { type Ledger, LedgerError } from '../ledger/ledger.ts';
import { RUN_FOLDER } from '../ledger/run.ts';
import type { Policy } from '../policy/compile.ts';
import { type Capability, isCapable } from '../policy/decide/capability.ts';
import type { RunEvent } from '../program/event.ts';
import type { RunState } from '../program/state.ts';
import { begin, transition } from '../program/transition.ts';
import { isJsonObject } from '../value/json.ts';
import { bringsResult, withOutput, withPayload, withResult } from './brought.ts';
import type { Linked } from './catalog.ts';
import type { RuntimeOptions } from './deps.ts';
import { type Standing, type Started, capabilityFrom, isMove, readEvent, readStanding, readStarted } from './entry.ts';
import { frozenDigests, linkStarted } from './frozen.ts';
import { firstSnapshot, nextSnapshot } from './snapshot.ts';

export interface LoadedRun {
  readonly started: Started;
  readonly linked: Linked;
  readonly capability: Capability;
  readonly state: RunState;
  readonly standing: Standing;
}

/**
 * `unreadable`: something that it needs was erased, was secret and is not kept, or cannot be read by this version.
 * `program-invalid`: under the policy in force its program is none.
 */
export type LoadingCode = 'no-such-run' | 'unreadable' | 'program-invalid';

export type Loading<T = LoadedRun> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly code: LoadingCode; readonly message: string };

/** Where the entries of runs are read. */
export type RunSource = Pick<Ledger, 'entry' | 'body' | 'counters'>;

export type Loader = Pick<RuntimeOptions, 'authority' | 'ledger' | 'vault' | 'world'>;

/** The entries of a run, the first one first, with their positions; none when there is no such run. */
export async function entriesOf(
  ledger: RunSource,
  id: string,
): Promise<readonly (readonly [position: number, entry: Entry])[]> {
  const key = RUN_FOLDER + id;
  const last = (await ledger.counters(key)).get(key) ?? 0;
  const entries: (readonly [number, Entry])[] = [];
  for (let position = last - 1; position >= 0;) {
    const entry = await ledger.entry(position);
    if (entry === undefined || !isMove(entry)) throw tampered(id);
    entries.unshift([position, entry]);
    const { after } = entry;
    if (typeof after === 'number' && after >= position) throw tampered(id);
    position = typeof after === 'number' ? after : -1;
  }
  return entries;
}

/** Where a run stands, by its last entry alone; nothing when there is no such run. Throws `LedgerError`. */
export async function standingOf(ledger: RunSource, id: string): Promise<Standing | undefined> {
  const key = RUN_FOLDER + id;
  const last = (await ledger.counters(key)).get(key) ?? 0;
  const entry = last === 0 ? undefined : await ledger.entry(last - 1);
  return entry && readStanding(entry);
}

/** Whose run it is; nothing when there is no such run. Throws `LedgerError`. */
export async function principalOf(ledger: RunSource, id: string): Promise<string | undefined> {
  const [first] = await entriesOf(ledger, id);
  return first && readStarted(first[1])?.principal;
}

/** Everything of a run. Throws `LedgerError`; `tampered` when an entry does not follow from those before. */
export async function loadRun(loader: Loader, id: string): Promise<Loading> {
  const entries = await entriesOf(loader.ledger, id);
  const [first, ...rest] = entries;
  if (first === undefined) return refused('no-such-run', `there is no run \`${id}\` in this ledger`);
  const started = readStarted(first[1]);
  if (started === undefined) return refused('unreadable', `the first entry of run \`${id}\` cannot be read`);
  const { policy } = loader.authority;
  if (policy === undefined) return refused('program-invalid', 'no policy is in force');
  const linked = await linkFrozen(loader, policy, started);
  if (!linked.ok) return linked;
  const capability = capabilityFrom(started);
  const input = await recordedArgs(loader.ledger, first[0], first[1]['args']);
  if (input === undefined || !isJsonObject(input)) return refused('unreadable', `the input of run \`${id}\` is gone`);
  let moved = begin(linked.value.program, input);
  let snapshot = firstSnapshot(loader.vault, started, input, moved.commands);
  if (first[1]['snapshot'] !== snapshot) return departed(policy, started);
  for (const [position, entry] of rest) {
    const event = await eventFrom(loader, policy, { position, entry });
    if (!event.ok) return event;
    moved = transition(linked.value.program, moved.state, event.value);
    snapshot = nextSnapshot(loader.vault, snapshot, event.value, moved.commands);
    if (entry['snapshot'] !== snapshot) return departed(policy, started);
  }
  const standing = readStanding((rest.at(-1) ?? first)[1]);
  if (standing === undefined) return refused('unreadable', `the last entry of run \`${id}\` cannot be read`);
  return { ok: true, value: { started, linked: linked.value, capability, state: moved.state, standing } };
}

/**
 * The entries do not give what they say. Under another policy the tools may have other types, and then that proves
 * nothing: the run waits for the policy that it started under. Else somebody has changed them: throws `tampered`.
 */
function departed(policy: Policy, started: Started): Loading {
  if (isCapable(policy, capabilityFrom(started))) throw tampered(started.id);
  return refused('program-invalid', `the policy in force says something else of the tools of run \`${started.id}\``);
}

/** Programs never change under a digest; what changes is the policy they are typed over. */
const memory = new WeakMap<Policy, Map<string, Loading<Linked>>>();

async function linkFrozen(loader: Loader, policy: Policy, started: Started): Promise<Loading<Linked>> {
  const known = memory.get(policy) ?? new Map<string, Loading<Linked>>();
  memory.set(policy, known);
  const key = JSON.stringify([started.program, started.principal, [...started.programs]]);
  const before = known.get(key);
  if (before !== undefined) return before;
  const texts = new Map<string, string>();
  for (const digest of frozenDigests(started)) {
    const text = await contentText(loader.ledger, digest);
    if (text === undefined) return refused('unreadable', `the log has no program \`${digest}\``);
    texts.set(digest, text);
  }
  const parsed = linkStarted(policy, started, (digest) => texts.get(digest) ?? '');
  const fault = parsed.issues.find(({ severity }) => severity === 'error');
  const linked: Loading<Linked> = parsed.ok
    ? parsed
    : refused('program-invalid', `under the policy in force program ${started.name} is none: ${fault?.message ?? ''}`);
  known.set(key, linked);
  return linked;
}

/** The event of an entry, with what it brought. */
async function eventFrom(
  loader: Loader,
  policy: Policy,
  { position, entry }: { readonly position: number; readonly entry: Entry },
): Promise<Loading<RunEvent>> {
  const recorded = readEvent(entry);
  if (recorded === undefined) return refused('unreadable', `the event of entry ${position} cannot be read`);
  const { event, of = '' } = recorded;
  const gone = refused('unreadable', `what entry ${position} was about is gone, or was secret`);
  const brought = (value: RunEvent | undefined): Loading<RunEvent> =>
    value === undefined ? gone : { ok: true, value };
  if (bringsResult(event)) {
    const row = await loader.ledger.call(of);
    if (row === undefined) return gone;
    return brought(withResult(event, row.tool, await resultOf(loader.ledger, row, loader.world.now(), policy)));
  }
  if (event.kind === 'child') return brought(withOutput(event, await loader.ledger.body(of, 'output')));
  if (event.kind !== 'event') return brought(event);
  return brought(withPayload(event, await recordedArgs(loader.ledger, position, entry['args'])));
}

function tampered(id: string): LedgerError {
  return new LedgerError('tampered', `the entries of run \`${id}\` do not follow from each other`);
}

function refused(
  code: LoadingCode,
  message: string,
): { readonly ok: false; readonly code: LoadingCode; readonly message: string } {
  return { ok: false, code, message };
}
