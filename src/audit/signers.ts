/** Whose signatures a log carries: each must be under a key that a policy of the log names for its author. */

import { verifyApproval } from '../authority/approval.ts';
import type { Entry } from '../ledger/entry.ts';
import type { CallRow } from '../ledger/ledger.ts';
import type { RecordedPolicies } from './policies.ts';
import type { Attested, DeepProblem } from './problem.ts';
import { member, told } from './problem.ts';

/** Signatures whose author was not known yet when they were read. */
const PENDING_MAX = 1_000;
/** Configurations that have been in force; of more only the last. */
const LOADED_MAX = 256;

/** A signature that is good under some keys, and which policies may name them. */
interface Signed {
  readonly position: number;
  readonly by: string;
  readonly policies: readonly string[];
  readonly isGood: (key: string) => boolean;
  readonly kind: 'approval' | 'policy';
}

/** Looks at signatures as they pass. A policy's text may come after the entry that says it was loaded. */
export class Signers {
  readonly #policies: RecordedPolicies;
  readonly #pending: Signed[] = [];
  readonly #asked = new Map<string, string>();
  #loaded: readonly string[] = [];

  constructor(policies: RecordedPolicies) {
    this.#policies = policies;
  }

  /** Looks at an entry that fits what came before it; `row` is its call as it was then. */
  look(entry: Entry, position: number, row: CallRow | undefined): DeepProblem | undefined {
    const { type } = entry;
    const { call, by, key } = entry;
    if (type === 'policy.loaded') this.#load(entry['digest']);
    if (type === 'call.parked') this.#ask(entry);
    if (typeof call === 'string' && type !== 'call.parked' && type !== 'call.approved') this.#asked.delete(call);
    if (typeof by !== 'string') return undefined;
    if (type === 'policy.exception' || type === 'policy.approved') {
      const before = entry['before'];
      const policies = typeof before === 'string' ? [before] : this.#loaded;
      return this.#check({ position, by, policies, isGood: (known) => known === key, kind: 'policy' });
    }
    const { signature, digest } = entry;
    if (type !== 'call.approved' || typeof signature !== 'string' || typeof digest !== 'string') return undefined;
    const isGood = (known: string): boolean => verifyApproval(known, digest, by, signature);
    const policies = [this.#asked.get(row?.id ?? '') ?? '', ...this.#loaded];
    return this.#check({ position, by, policies, isGood, kind: 'approval' });
  }

  /** What is left to say once the log is read. Whose a key was, only the text of the policy in force could tell. */
  end(): { readonly problems: readonly DeepProblem[]; readonly attestations: readonly Attested[] } {
    const problems: DeepProblem[] = [];
    const attestations: Attested[] = [];
    for (const signed of this.#pending) {
      const problem = this.#problem(signed);
      if (problem === undefined) continue;
      if (!this.#isUndecided(signed)) problems.push(problem);
      else
        attestations.push({ entry: signed.position, why: `no recorded policy tells whose key ${told(signed.by)} has` });
    }
    return { problems, attestations };
  }

  #load(digest: unknown): void {
    if (typeof digest !== 'string') return;
    this.#loaded = [...this.#loaded.filter((each) => each !== digest), digest].slice(-LOADED_MAX);
  }

  #ask({ call, policy }: Entry): void {
    const digest = member(policy, 'digest');
    if (typeof call === 'string' && typeof digest === 'string') this.#asked.set(call, digest);
  }

  #check(signed: Signed): DeepProblem | undefined {
    const problem = this.#problem(signed);
    if (problem === undefined || !this.#isUndecided(signed) || this.#pending.length === PENDING_MAX) return problem;
    this.#pending.push(signed);
    return undefined;
  }

  /** The text of a policy that may name the author is not in the log, or not yet: nothing was decided under it. */
  #isUndecided({ policies }: Signed): boolean {
    return policies.length === 0 || policies.some((digest) => this.#policies.configuration(digest) === undefined);
  }

  #problem({ position, by, policies, isGood, kind }: Signed): DeepProblem | undefined {
    const keys = policies.flatMap((digest) => this.#policies.configuration(digest)?.principals?.get(by)?.key ?? []);
    if (keys.some(isGood)) return undefined;
    const isUnknown = keys.length === 0;
    const code = kind === 'policy' ? 'policy-signer' : isUnknown ? 'approval-signer' : 'approval-signature';
    const message = isUnknown
      ? `expected a policy of the log to name a key of ${told(by)}, who signed`
      : `expected the signature of ${told(by)} under the key that the policy names, got another`;
    return { code, message, entry: position };
  }
}
