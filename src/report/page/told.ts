/** What the report says that no entry says: told by the command that wrote it. */

/** One rule and how its clauses went when the decision was made again. */
export interface ToldRule {
  readonly rule: string;
  readonly effect: string;
  readonly matched: boolean;
  readonly error?: string;
  readonly clauses: readonly { readonly text: string; readonly result: boolean | 'error' }[];
}

/** Of a decision, by the position of its entry. */
export interface ToldDecision {
  /** Whether the same comes out again. */
  readonly again: 'same' | 'differs' | 'taken';
  /** Why it differs, or was taken as recorded. */
  readonly because?: string;
  readonly rules?: readonly ToldRule[];
  /** JSON pointers of arguments that are real paths, found by following every link. */
  readonly paths?: readonly string[];
  /** JSON pointers of sealed arguments that nobody can open any more. */
  readonly gone?: readonly string[];
}

export interface ToldProblem {
  readonly entry?: number;
  readonly code: string;
  readonly message: string;
}

export interface Told {
  readonly interlock: 'report/1';
  /** Of the command that wrote it. */
  readonly version: string;
  /** RFC 3339. */
  readonly at: string;
  /** The session, run or call it is of; absent for the whole log. */
  readonly of?: string;
  /** What a verification of the whole log found when the report was written. */
  readonly log: {
    readonly verdict: 'ok' | 'bad';
    readonly entries: number;
    /** Entries that no signature covers. */
    readonly unsigned: number;
    readonly problems: readonly ToldProblem[];
    /** Further ones that are not listed. */
    readonly omitted: number;
  };
  /** What has no place on the page: earlier decisions by effect, and earlier events. */
  readonly left: { readonly decisions: Readonly<Record<string, number>>; readonly events: number };
  readonly decisions: Readonly<Record<string, ToldDecision>>;
  /** Positions of outcomes whose results nobody can open any more. */
  readonly gone: readonly number[];
}
