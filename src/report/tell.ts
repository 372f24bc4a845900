/** What a report tells of decisions beside their entries: how they come out again, and what nobody can open any more. */

import { decideAgain } from '../audit/decide-again.ts';
import { explainAgain } from '../audit/explain-again.ts';
import { type Decided, type Recording, recordedCalls } from '../audit/recording.ts';
import { sealedArguments } from '../audit/recorded-call.ts';
import { guardedPaths } from '../guard/path/arguments.ts';
import type { Entry } from '../ledger/entry.ts';
import { LedgerError } from '../ledger/ledger.ts';
import type { RuleResult } from '../policy/decide/decision.ts';
import type { JsonValue } from '../value/json.ts';
import type { Told, ToldDecision, ToldProblem, ToldRule } from './page/told.ts';

/** Rules and clauses that are told of one decision. */
const RULES_MAX = 8;
const CLAUSES_MAX = 16;

export interface ToldOfCalls {
  readonly decisions: Readonly<Record<string, ToldDecision>>;
  readonly gone: readonly number[];
  /** Decisions that are not what their policy gives, and sealed values that are not what their entries commit to. */
  readonly problems: readonly ToldProblem[];
}

/** Goes through the whole of `recording` once; only calls that are `wanted` are decided again. */
export function tellOfCalls(recording: Recording, isWanted: (entry: Entry) => boolean): ToldOfCalls {
  const decisions: Record<string, ToldDecision> = {};
  const gone: number[] = [];
  const vault = new OpenableVault(recording);
  for (const item of recordedCalls({ ...recording, open: vault.open }, isWanted)) {
    if (item.kind === 'decided') decisions[item.recorded.position] = tellOf(item, vault);
    else if (item.kind === 'ended' && item.output === 'gone' && vault.isOpen) gone.push(item.position);
  }
  const wrong = Object.entries(decisions).flatMap(([position, { again, because = '' }]) =>
    again === 'differs' ? [{ entry: Number(position), code: 'decision-wrong', message: because }] : [],
  );
  return { decisions, gone, problems: [...vault.problems, ...wrong] };
}

type Open = Recording['open'];

/** A vault that may be away, or hold something else: then a value is as good as gone, and it is told why. */
class OpenableVault {
  readonly problems: ToldProblem[] = [];
  readonly #open: Open;
  /** False once the key of the vault was not there. */
  isOpen = true;

  constructor({ open }: Recording) {
    this.#open = open;
  }

  readonly open: Open = (call, role, position, commitment): JsonValue | undefined => {
    if (!this.isOpen) return undefined;
    try {
      return this.#open(call, role, position, commitment);
    } catch (error) {
      if (!(error instanceof LedgerError)) throw error;
      if (error.code === 'tampered')
        this.problems.push({ entry: position, code: 'body-wrong', message: error.message });
      else this.isOpen = false;
      return undefined;
    }
  };
}

function tellOf({ recorded, past, hasArgs }: Decided, vault: OpenableVault): ToldDecision {
  const again = decideAgain(recorded, past, hasArgs);
  const rules = explainAgain(recorded, past, hasArgs);
  const sealed = sealedArguments(recorded.entry);
  const gone = hasArgs || !vault.isOpen ? [] : goneOf(recorded.request.call.id, recorded.position, sealed, vault);
  const paths = recorded.effect === 'deny' && rules.length === 0 ? [] : pathsOf({ recorded, past });
  const told = toldRules(rules, recorded.rules);
  return {
    again: AGAIN[again.kind],
    ...(again.kind === 'same' ? {} : { because: again.kind === 'wrong' ? again.message : again.why }),
    ...(told.length === 0 ? {} : { rules: told }),
    ...(paths.length === 0 ? {} : { paths }),
    ...(gone.length === 0 ? {} : { gone }),
  };
}

const AGAIN = { same: 'same', wrong: 'differs', attested: 'taken' } as const;

/** JSON pointers of the sealed arguments that do not open; the empty one stands for all of them. */
function goneOf(
  call: string,
  position: number,
  sealed: ReadonlyMap<string, string>,
  vault: OpenableVault,
): readonly string[] {
  return [...sealed].flatMap(([role, commitment]) =>
    vault.open(call, role, position, commitment) === undefined ? [role.slice('args'.length)] : [],
  );
}

/** What a guard resolved before the decision. A denial by an earlier gate holds the paths as they were asked for. */
function pathsOf({ recorded, past }: Pick<Decided, 'recorded' | 'past'>): readonly string[] {
  const { said, request } = recorded;
  const [digest, tools] = [said['digest'], said['tools']];
  if (typeof digest !== 'string' || typeof tools !== 'string') return [];
  const tool = past.policies.policy(digest, tools, request.tool)?.tools.get(request.tool);
  const rule = tool?.guard?.path;
  return tool === undefined || rule === undefined
    ? []
    : [...guardedPaths(request.args, tool.definition.inputSchema, rule.args)];
}

/** Those that decided, those that matched, and where none did those that could have allowed. */
function toldRules(results: readonly RuleResult[], deciding: readonly string[]): readonly ToldRule[] {
  const told = results.filter(
    ({ rule, effect, matched }) => deciding.includes(rule) || matched || (deciding.length === 0 && effect === 'allow'),
  );
  return told.slice(0, RULES_MAX).map(({ rule, effect, matched, error, clauses }) => ({
    rule,
    effect,
    matched,
    ...(error === undefined ? {} : { error }),
    clauses: clauses.slice(0, CLAUSES_MAX).map(({ text, result }) => ({ text, result })),
  }));
}

/** What is told of a whole log and of its calls, as the page holds it. */
export function toldWith(told: Omit<Told, 'interlock' | 'decisions' | 'gone'>, calls: ToldOfCalls): Told {
  const problems = [...told.log.problems, ...calls.problems];
  const verdict = problems.length === 0 ? told.log.verdict : 'bad';
  return {
    interlock: 'report/1',
    ...told,
    log: { ...told.log, verdict, problems },
    decisions: calls.decisions,
    gone: calls.gone,
  };
}
