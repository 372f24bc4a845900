/** The deep verifier: every entry folded again, every call decided and every run moved again, every approver's signature looked up. */

import { runOf } from '../authority/asked.ts';
import type { Entry } from '../ledger/entry.ts';
import { isRunType } from '../ledger/run.ts';
import type { Tables } from '../ledger/tables.ts';
import type { JsonValue } from '../value/json.ts';
import { Bodies, type BodySource } from './bodies.ts';
import { decideAgain } from './decide-again.ts';
import { Denials } from './denials.ts';
import { History, type Misfit } from './history.ts';
import type { Attested, DeepProblem } from './problem.ts';
import { isDecision, recordedCall } from './recorded-call.ts';
import { Runs } from './runs.ts';
import { Signers } from './signers.ts';

/** As much as is told of each, so that a log in which all is wrong costs no more memory than a good one. */
const LISTED_MAX = 1_000;

export interface DeepReport {
  readonly problems: readonly DeepProblem[];
  /** How many further problems are not listed. */
  readonly omitted: number;
  /** Decisions and signatures that were taken as recorded, and the first of them. */
  readonly attested: number;
  readonly attestations: readonly Attested[];
  /** Sealed values that are gone. */
  readonly erased: number;
  /** Decisions that were made again and are the recorded ones. */
  readonly decided: number;
}

/**
 * Takes the entries of a log in order. What is malformed, missing or unsigned the structural verifier tells; such an
 * entry is passed over here. Once an entry of a call does not fit, later ones of the call are not told again.
 */
export class DeepVerifier {
  readonly #history: History;
  readonly #signers: Signers;
  readonly #bodies: Bodies;
  readonly #denials = new Denials();
  readonly #runs: Runs;
  readonly #problems: DeepProblem[] = [];
  readonly #attestations: Attested[] = [];
  readonly #broken = new Set<string>();
  #omitted = 0;
  #attested = 0;
  #decided = 0;
  #size = 0;

  constructor(options: { readonly bodies?: BodySource } = {}) {
    this.#history = new History(options.bodies?.salt);
    this.#signers = new Signers(this.#history.policies);
    this.#bodies = new Bodies(options.bodies);
    this.#runs = new Runs(options.bodies?.vault);
  }

  /** The fold of the entries so far. */
  get tables(): Tables {
    return this.#history.tables;
  }

  /** One more than the position of the last entry. */
  get size(): number {
    return this.#size;
  }

  /** The next entry, as `verifyLog` visits it. */
  take(entry: Entry, position: number): void {
    this.#size = Math.max(this.#size, position + 1);
    const call = typeof entry['call'] === 'string' ? entry['call'] : undefined;
    const opened = this.#bodies.open(entry, position, (problem) => this.#found(problem));
    const before = call === undefined ? undefined : this.tables.call(call);
    if (isDecision(entry)) this.#decide(entry, position, opened.args);
    const misfit = this.#history.add(entry, position);
    if (misfit !== undefined) {
      if (isRunType(entry.type)) this.#runs.break(runOf(entry));
      return this.#misfits(call, position, misfit);
    }
    const more = [this.#signers.look(entry, position, before), this.#denials.look(entry, position)];
    for (const problem of more) if (problem !== undefined) this.#found(problem);
    const { problem, attested } = this.#runs.look(entry, opened, this.#history.past());
    if (problem !== undefined) this.#found({ ...problem, entry: position });
    if (attested !== undefined) this.#attest({ entry: position, why: attested });
  }

  report(more: readonly DeepProblem[] = []): DeepReport {
    const signed = this.#signers.end();
    for (const problem of [...signed.problems, ...this.#bodies.end(), ...more]) this.#found(problem);
    for (const attested of signed.attestations) this.#attest(attested);
    return {
      problems: this.#problems,
      omitted: this.#omitted,
      attested: this.#attested,
      attestations: this.#attestations,
      erased: this.#bodies.erased,
      decided: this.#decided,
    };
  }

  #misfits(call: string | undefined, position: number, misfit: Misfit): void {
    if (call !== undefined && this.#broken.has(call)) return;
    if (call !== undefined && this.#broken.size < LISTED_MAX) this.#broken.add(call);
    this.#found({ ...misfit, entry: position });
  }

  #decide(entry: Entry, position: number, args: JsonValue | undefined): void {
    const recorded = recordedCall(entry, position, args);
    if (recorded === undefined) {
      const message = 'expected what the entry of a decision says of call, tool and policy';
      return this.#found({ code: 'decision-unfounded', message, entry: position });
    }
    const again = decideAgain(recorded, this.#history.past(), args !== undefined);
    if (again.kind === 'wrong') this.#found({ code: again.code, message: again.message, entry: position });
    if (again.kind === 'same') this.#decided += 1;
    if (again.kind !== 'attested') return;
    this.#attest({ entry: position, why: again.why });
  }

  #attest(attested: Attested): void {
    this.#attested += 1;
    if (this.#attestations.length < LISTED_MAX) this.#attestations.push(attested);
  }

  #found(problem: DeepProblem): void {
    if (this.#problems.length < LISTED_MAX) this.#problems.push(problem);
    else this.#omitted += 1;
  }
}
