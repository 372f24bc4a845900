/** The one door: decides a call, records the intent, performs it at most once, records the outcome. */

import { type CallRow, type Ledger, LedgerError, type Writes } from '../ledger/ledger.ts';
import type { Policy } from '../policy/compile.ts';
import { couldAllow, shownDefinition } from '../policy/decide/decide.ts';
import type { TrustedPin } from '../policy/pin/pin.ts';
import { DISK } from '../policy/document/settings.ts';
import { isForPrograms } from '../policy/tool/own.ts';
import type { ToolDefinition } from '../policy/tool/tool.ts';
import type { JsonObject } from '../value/json.ts';
import { canonicalText } from '../value/canonical.ts';
import type { Answer } from './answer.ts';
import {
  deniedAnswer,
  ledgerAnswer,
  notStartedAnswer,
  parkedAnswer,
  recordedAnswer,
  runningAnswer,
} from './answering.ts';
import { type ClockWatch, watchClock } from './clock.ts';
import { type Decided, commitCall } from './commit.ts';
import type { Dispatch } from './compose.ts';
import { dispatchCall } from './dispatch.ts';
import { draft, recordedReason } from './draft.ts';
import { type Questions, questions } from './elicit.ts';
import { type Floods, watchFloods } from './flood.ts';
import { NO_EXCEPTIONS, type StandingExceptions, exceptedAt, standingExceptions } from './exception.ts';
import { type ShadowState, loadedFields } from './layers.ts';
import { recordMalformed } from './malformed.ts';
import { trustTools, trustedPins } from './pin.ts';
import { type Again, type PolicyState, type Prepared, type Surroundings, prepare } from './prepare.ts';
import { type Prober, prober } from './probe.ts';
import type { Proposal } from './proposal.ts';
import { recordOutcome } from './record.ts';
import { type Referring, referring } from './reference.ts';
import { resultOf } from './result.ts';
import { type Retain, retaining } from './retain.ts';
import { OVERDUE_GRACE_MS, type Recover, recovery } from './recover.ts';
import { mayResend, pauseBeforeRetry } from './retry.ts';
import { type RoomWatch, watchRoom } from './room.ts';
import { withCheck } from './subject-check.ts';
import { type CallStatus, statusOf } from './status.ts';
import { type Answered, type Waiting, waiting } from './waiting.ts';

/** What was decided, under the exceptions in force. */
type Settled = Exclude<Decided, { kind: 'stale' | 'unchecked' }>;
type Parked = Extract<Settled, { kind: 'parked' }>;

/** Exceptions that may be made while a call is decided, before it is `busy`. */
const TURNS_MAX = 4;
/** How often a call that another process runs is looked at again, milliseconds. */
const WATCH_EVERY_MS = 100;
/** How long past its deadline a running call of another process is waited for, milliseconds: until it is `unknown`. */
const WATCH_GRACE_MS = OVERDUE_GRACE_MS + 1_000;

/**
 * Guarantees: no dispatch before its intent is durable; no success is answered before its outcome is; an attempt
 * id is dispatched at most once, by the process that wrote it, before its deadline; what cannot be recorded,
 * decided or proved is denied. All methods may be called concurrently.
 */
export class Authority {
  readonly #ledger: Ledger;
  readonly #around: Surroundings;
  readonly #clock: ClockWatch;
  readonly #floods: Floods;
  readonly #room: RoomWatch;
  readonly #running = new Map<string, Promise<Answer>>();
  readonly #waiting: Waiting;
  readonly #questions: Questions;
  readonly #recover: Recover;
  readonly #retain: Retain;
  readonly #prober: Prober;
  readonly #referring: Referring;
  readonly #isOurs = (call: string): boolean => this.#running.has(call);
  #standing: StandingExceptions = NO_EXCEPTIONS;
  #state: PolicyState = { kind: 'invalid', message: 'none was loaded' };

  constructor(ledger: Ledger, around: Omit<Surroundings, 'instance' | 'log' | 'recorded' | 'floods'>) {
    this.#ledger = ledger;
    this.#floods = watchFloods(ledger, around.world);
    const own = { instance: ledger.instance, log: ledger.log, recorded: new Set<string>(), floods: this.#floods };
    this.#around = { ...around, ...own };
    this.#retain = retaining(ledger, around.world);
    this.#clock = watchClock(ledger, around.world);
    this.#room = watchRoom(ledger, around.world);
    this.#recover = recovery(ledger, around.world, this.#isOurs);
    this.#waiting = waiting(ledger, this.#around);
    this.#questions = questions(ledger, around.world, (call, answers) => this.#waiting.seen(call, answers));
    this.#referring = referring(ledger, this.#around);
    this.#prober = prober(ledger, this.#around, this.#referring.sending, this.#isOurs);
  }

  /**
   * From now on calls are decided under `policy`, with `shadow` beside it; calls in flight finish under theirs. `how` is
   * recorded with it.
   */
  async load(policy: Policy, shadow?: ShadowState, how: JsonObject = {}): Promise<void> {
    const before = this.#state.kind === 'loaded' ? loadedFields(this.#state) : undefined;
    const state = { kind: 'loaded', policy, ...(shadow === undefined ? {} : { shadow }) } as const;
    this.#state = state;
    const fields = { ...loadedFields(state), ...how };
    // Tools that appear later type the same policy again.
    if (before !== undefined && canonicalText(before) === canonicalText(fields)) return;
    // A crash leaves the entry or none; the next start loads the policy again.
    await this.#append({ entries: [draft(this.#around.world, 'policy.loaded', fields)] });
  }

  /** From now on everything is denied `policy-invalid`. */
  async refuse(message: string): Promise<void> {
    this.#state = { kind: 'invalid', message };
    const fields = { message: recordedReason(message) };
    await this.#append({ entries: [draft(this.#around.world, 'policy.refused', fields)] });
  }

  /** What calls are decided under now, without the exceptions in force; nothing while there is none. */
  get policy(): Policy | undefined {
    return this.#state.kind === 'loaded' ? this.#state.policy : undefined;
  }

  /** Whether `principal` may know that `tool` exists. */
  visible(principal: string, tool: string): boolean {
    const state = this.#stateNow();
    return state.kind === 'loaded' && !isForPrograms(tool) && couldAllow(state.policy, principal, tool);
  }

  /** An offered definition as a host may see it: one that was not reviewed is shown as it was, or not at all. */
  shown(definition: ToolDefinition): JsonObject {
    const tool = this.#state.kind === 'loaded' ? this.#state.policy.tools.get(definition.name) : undefined;
    return tool === undefined ? definition.raw : shownDefinition(tool, definition);
  }

  /**
   * Remembers of tools that no lock pins how they are defined now, before anybody sees them. Answers whether some of
   * them were trusted under another definition. Rejects with `LedgerError`: then the first call of each remembers it.
   */
  async trust(tools: readonly string[]): Promise<boolean> {
    if (this.#state.kind === 'invalid') return false;
    return trustTools(this.#ledger, this.#around.world, this.#state.policy, tools);
  }

  /** What was remembered so, in this process and others. */
  trusted(): Promise<ReadonlyMap<string, TrustedPin>> {
    return trustedPins(this.#ledger);
  }

  /**
   * Where `call` stands, when it is one of `principal`'s own and of a tool that it may still know; nothing for any other
   * id. It decides and records nothing: it is how `interlock.get_call` is carried out. Throws `LedgerError`.
   */
  async status(principal: string, call: string): Promise<CallStatus | undefined> {
    const row = await this.#ledger.call(call);
    if (row?.principal !== principal || this.#state.kind !== 'loaded') return undefined;
    const isHidden = this.#state.policy.tools.has(row.tool) && !this.visible(principal, row.tool);
    return isHidden ? undefined : statusOf(this.#ledger, row, this.#around.world.now());
  }

  /** Records that a peer sent what is no call at all. Throws `LedgerError`. */
  async malformed(principal: string, session: string, reason: string): Promise<void> {
    const malformed = { principal, session, reason };
    await recordMalformed(this.#ledger, this.#around, this.#state, malformed, () => this.#checkRoom());
  }

  /**
   * Records the denials of floods that were only counted: those of minutes that are over, or all, before the process
   * ends. Resolves with how many entries that took. Throws `LedgerError`: then they are recorded the next time.
   */
  tally(which: 'over' | 'all'): Promise<number> {
    return this.#floods.tell(which);
  }

  /** Decides and carries out one proposal. Rejects only for a bug: every refusal is an answer. */
  call(proposal: Proposal): Promise<Answer> {
    this.#around.world.passing?.('proposed');
    return this.#referring.carryOut(this.policy, proposal, (opened) => this.#propose(opened));
  }

  /** One proposal, or one more attempt of the call that `again` names. */
  async #propose(proposal: Proposal, again?: Again): Promise<Answer> {
    const first = await prepare(this.#around, this.#stateNow(), proposal, again);
    try {
      const [prepared, verdict] = await this.#commit(proposal, first, again);
      switch (verdict.kind) {
        case 'denied': {
          const visible = proposal.program !== undefined || this.visible(proposal.principal, proposal.tool);
          return deniedAnswer(prepared.call, proposal.tool, verdict.decision, visible, verdict.about);
        }
        case 'existing':
          return await this.#existing(proposal, verdict.row, again !== undefined);
        case 'parked':
          return await this.#parked(proposal, verdict, again !== undefined);
        case 'dispatch':
          return await this.#track(verdict.call, this.#perform(proposal, verdict));
      }
    } catch (error) {
      // What the ledger refuses before the dispatch is a denial; `recordOutcome` answers for what it refuses after it.
      if (!(error instanceof LedgerError)) throw error;
      return ledgerAnswer(first.call, error);
    }
  }

  /**
   * The call waits. Where the person at the caller's host may answer, that person is asked first, and what is recorded by
   * then decides: a host that lies, hangs or knows nothing leaves the call parked.
   */
  async #parked(proposal: Proposal, parked: Parked, isRepeat: boolean): Promise<Answer> {
    const { call, decision, expires, elicit } = parked;
    this.#waiting.keep(call, proposal);
    if (elicit !== undefined && proposal.elicit !== undefined && !isRepeat) {
      await this.#questions.ask(call, proposal, elicit);
      if (!proposal.signal.aborted) return this.#propose(proposal, { call });
    }
    return parkedAnswer(call, proposal.tool, decision, expires);
  }

  /** Decides under the exceptions that are in force at the commit. Throws `LedgerError`: then nothing may be dispatched. */
  async #commit(proposal: Proposal, first: Prepared, again: Again | undefined): Promise<readonly [Prepared, Settled]> {
    await this.#checkRoom();
    await this.#checkClock();
    let prepared = first;
    for (let turn = 0; turn < TURNS_MAX; turn += 1) {
      const verdict = await commitCall(this.#ledger, this.#around, prepared);
      if (verdict.kind === 'unchecked') {
        prepared = await withCheck(this.#around, verdict.policy, prepared, (check) => this.#propose(check));
        continue;
      }
      if (verdict.kind !== 'stale') return [prepared, verdict];
      await this.refresh();
      prepared = await prepare(this.#around, this.#stateNow(), proposal, again);
    }
    throw new LedgerError('busy', 'exceptions are made faster than the call can be decided');
  }

  /** Looks for exceptions that were made or ended. Answers whether there were any. Rejects with `LedgerError`. */
  async refresh(): Promise<boolean> {
    const before = this.#standing.version;
    this.#standing = await standingExceptions(this.#ledger);
    return this.#standing.version !== before;
  }

  /** The policy with the exceptions that are in force now, as far as they are known. */
  #stateNow(): PolicyState {
    const state = this.#state;
    const standing = this.#standing;
    if (state.kind === 'invalid' || standing.version === 0) return state;
    const at = this.#around.world.now();
    const among = { standing, signers: state.policy.configuration, log: this.#around.log };
    const { policy, exceptions, until } = exceptedAt(state.policy, among, at);
    const { shadow } = state;
    const beside =
      shadow?.kind === 'loaded' ? { ...shadow, policy: exceptedAt(shadow.policy, among, at).policy } : shadow;
    const excepted = { version: standing.version, until, exceptions };
    return { kind: 'loaded', policy, excepted, ...(beside === undefined ? {} : { shadow: beside }) };
  }

  /**
   * Looks once at the parked calls of these principals, whichever process was asked for them, and decides those again
   * that were answered since: approved ones are carried out, by whoever claims them first. Resolves once all are
   * decided, with those that run now; none of these rejects. Their callers learn the result by asking again. Throws
   * `LedgerError`.
   */
  async claim(principals: readonly string[]): Promise<readonly Promise<void>[]> {
    await this.#checkClock();
    if (this.#state.kind === 'invalid') return [];
    const asked = this.#questions.open();
    const { parked, answered } = await this.#waiting.look(this.#state.policy, principals);
    for (const call of asked) if (!parked.has(call)) this.#questions.callOff(call);
    const claimed = await Promise.all(answered.map((call) => this.#claim(call)));
    return claimed.flatMap((one) => (one === undefined ? [] : [one.running]));
  }

  /**
   * Decides an answered call again; the work that follows, when it is allowed. A crash before the intent leaves the call
   * parked with its answers, one after it an intent.
   */
  async #claim({ call, proposal }: Answered): Promise<{ readonly running: Promise<void> } | undefined> {
    const verdict = await this.#decideAgain(proposal, { call, unattended: true });
    if (verdict === undefined || verdict.kind === 'existing') this.#waiting.again(call);
    if (verdict?.kind !== 'dispatch') return undefined;
    const running = this.#track(verdict.call, this.#perform(proposal, verdict));
    return { running: running.then(() => undefined) };
  }

  /**
   * Looks once at the calls that run, and turns those of dead processes, and those of living ones that are past their
   * deadline and a grace, into `unknown`; resolves with how many.
   */
  recover(): Promise<number> {
    return this.#recover();
  }

  /** Looks into the calls of unknown outcome whose tools have a probe, each with growing pauses. */
  async probe(): Promise<void> {
    if (this.#state.kind === 'loaded') await this.#prober.all(this.#state.policy);
  }

  /**
   * Destroys what was kept for as long as the policy in force says: results, and those with their secrets. Resolves with
   * how many calls lost their results.
   */
  async expire(): Promise<number> {
    if (this.#state.kind === 'invalid') return 0;
    const { retention, secrets } = this.#state.policy.configuration;
    await this.#ledger.expireLive(this.#around.world.now() - secrets.replayMs);
    return retention.bodiesMs === undefined ? 0 : this.#retain(retention.bodiesMs);
  }

  /** Without a policy everything is denied whatever the clock says. */
  async #checkClock(): Promise<void> {
    if (this.#state.kind === 'loaded') await this.#clock.check(this.#state.policy.configuration.clock.gapMs);
  }

  /** Throws `disk-full` when what is left is for how calls end. */
  #checkRoom(): Promise<void> {
    return this.#room.check((this.policy?.configuration.disk ?? DISK).reserve);
  }

  async #append(writes: Writes): Promise<void> {
    await this.#ledger.append(writes);
  }

  async #track(call: string, running: Promise<Answer>): Promise<Answer> {
    this.#running.set(call, running);
    try {
      return await running;
    } finally {
      this.#running.delete(call);
    }
  }

  /** All attempts that the call makes by itself; each is decided and recorded like the first. */
  async #perform(proposal: Proposal, first: Dispatch): Promise<Answer> {
    const { world, attemptsMax: own = 1 } = this.#around;
    let dispatch = first;
    for (let made = 1; ; made += 1) {
      const performed = await dispatchCall(world, this.#referring.sending, proposal.perform, dispatch);
      const answer = await recordOutcome(this.#ledger, this.#around, dispatch, performed);
      const pause =
        made < (proposal.attemptsMax ?? own) ? pauseBeforeRetry(world, dispatch, performed, made) : undefined;
      // Only what is recorded as it was may be repeated.
      if (pause === undefined || answer.state !== performed.kind || proposal.signal.aborted) return answer;
      await world.sleep(pause, proposal.signal);
      if (proposal.signal.aborted) return answer;
      const { call, attempt, deadline, monotonicDeadline } = dispatch;
      const again = { call, attempt, until: { wall: deadline, monotonic: monotonicDeadline } };
      // Refused, or gone on by other hands.
      const next = await this.#decideAgain(proposal, again);
      if (next?.kind !== 'dispatch') return answer;
      dispatch = next;
    }
  }

  /** What becomes of a call that goes on by itself; nothing when the ledger refuses it now. */
  async #decideAgain(proposal: Proposal, again: Again): Promise<Settled | undefined> {
    const prepared = await prepare(this.#around, this.#stateNow(), proposal, again);
    try {
      const [, verdict] = await this.#commit(proposal, prepared, again);
      return verdict;
    } catch (error) {
      if (!(error instanceof LedgerError)) throw error;
      return undefined;
    }
  }

  /** Answers from a call that already took the key; nothing is decided, run or charged. */
  async #existing(proposal: Proposal, found: CallRow, isRepeat: boolean): Promise<Answer> {
    const row = found.state === 'intent' ? await this.#watch(proposal, found) : found;
    if (row.state === 'intent') return runningAnswer(row.id, row.tool);
    if (row.state === 'unknown' && !isRepeat) return this.#unknown(proposal, row);
    if (row.state === 'not-started' || row.state === 'settled-not-executed')
      return notStartedAnswer(row.id, row.tool, 'the attempt that was waited for did not start');
    return recordedAnswer(row, await resultOf(this.#ledger, row, this.#around.world.now(), this.policy));
  }

  /** Somebody asks for a call of unknown outcome: looks into it where that can be, and repeats it where that is safe. */
  async #unknown(proposal: Proposal, found: CallRow): Promise<Answer> {
    if (this.#state.kind !== 'loaded') return recordedAnswer(found, undefined);
    const { policy } = this.#state;
    if (policy.tools.get(found.tool)?.probe !== undefined) await this.#prober.one(policy, found);
    const row = (await this.#ledger.call(found.id)) ?? found;
    if (row.state === 'settled-not-executed') return this.#propose(proposal);
    if (row.state === 'unknown' && (await mayResend(this.#ledger, policy, row, this.#isOurs))) {
      return this.#propose(proposal, { call: row.id, attempt: row.attempt });
    }
    return this.#existing(proposal, row, true);
  }

  /** Waits for a running call: agents wait better than they retry. */
  async #watch(proposal: Proposal, found: CallRow): Promise<CallRow> {
    const { world } = this.#around;
    await this.#running.get(found.id);
    let row = (await this.#ledger.call(found.id)) ?? found;
    while (row.state === 'intent' && !proposal.signal.aborted && world.now() < row.deadline + WATCH_GRACE_MS) {
      await world.sleep(WATCH_EVERY_MS, proposal.signal);
      await this.recover();
      row = (await this.#ledger.call(found.id)) ?? row;
    }
    return row;
  }
}
