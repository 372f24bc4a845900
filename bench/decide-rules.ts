/** The rules and calls that `bench/decide.ts` has everybody decide: data, so that each peer reads them in its own language. */

import { defineTool } from '../src/policy/tool/tool.ts';
import type { ToolDefinition } from '../src/policy/tool/tool.ts';

/** One comparison of an argument. */
export type Term =
  | { readonly argument: TextArgument; readonly op: '=='; readonly value: string }
  | { readonly argument: TextArgument; readonly op: 'in'; readonly values: readonly string[] }
  | { readonly argument: 'amount'; readonly op: '>' | '<='; readonly value: number };

/** Holds when all its terms hold. A deny wins over every allow, and nothing is allowed that no rule allows. */
export interface BenchRule {
  readonly effect: 'allow' | 'deny';
  readonly terms: readonly Term[];
}

type TextArgument = 'recipient' | 'currency' | 'country' | 'category';

export interface Payment extends Readonly<Record<TextArgument, string>> {
  /** A whole number: Cedar has no fractions. */
  readonly amount: number;
}

export interface BenchCall {
  readonly tool: string;
  readonly args: Payment;
}

/** The tool that the rules speak of, and one that no rule speaks of. */
export const PAY = 'bank.pay';
export const CLOSE = 'bank.close';

/** The schema of the arguments, the same for every tool here. */
export const PAYMENT_SCHEMA = {
  type: 'object',
  required: ['recipient', 'currency', 'country', 'category', 'amount'],
  properties: {
    recipient: { type: 'string' },
    currency: { type: 'string' },
    country: { type: 'string' },
    category: { type: 'string' },
    amount: { type: 'integer' },
  },
} as const;

const CURRENCIES = ['usd', 'eur', 'gbp', 'chf', 'sek', 'nok', 'dkk', 'jpy', 'cad', 'aud'];
const AMOUNT_MAX = 20_000;
/** Of each kind of rule among ten; a policy of a hundred has ten allows and ninety denies. */
const PERIOD = 10;

/** `count` rules, no two alike: one allow to nine denies, of four shapes. */
export function benchRules(count: number): BenchRule[] {
  return Array.from({ length: count }, (_, at): BenchRule => {
    const turn = Math.floor(at / PERIOD);
    const kind = at % PERIOD;
    const floor = 10_000 + 10 * at;
    if (kind === 0) {
      const currency = {
        argument: 'currency',
        op: '==',
        value: CURRENCIES[turn % CURRENCIES.length] ?? 'usd',
      } as const;
      return { effect: 'allow', terms: [{ argument: 'amount', op: '<=', value: 15_000 + at }, currency] };
    }
    if (kind <= 3) return { effect: 'deny', terms: [{ argument: 'recipient', op: '==', value: `account${at}` }] };
    const above = { argument: 'amount', op: '>', value: floor } as const;
    if (kind <= 6) return { effect: 'deny', terms: [{ argument: 'country', op: '==', value: `country${at}` }, above] };
    const values = [`category${at}`, `category${at + 1}`];
    return { effect: 'deny', terms: [{ argument: 'category', op: 'in', values }, above] };
  });
}

/** A generator of numbers in [0, 1) from a seed (mulberry32), so that each run decides the same calls. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** `count` calls of the tool, every second one aimed at a rule of `rules`, every twentieth of the tool without rules. */
export function benchCalls(count: number, rules: readonly BenchRule[], seed: number): BenchCall[] {
  const random = randomFrom(seed);
  const below = (limit: number): number => Math.floor(random() * limit);
  return Array.from({ length: count }, (_, at): BenchCall => {
    const args: Record<TextArgument, string> & { amount: number } = {
      recipient: `account${below(100_000)}`,
      currency: CURRENCIES[below(CURRENCIES.length)] ?? 'usd',
      country: `country${below(200)}`,
      category: `category${below(200)}`,
      amount: below(AMOUNT_MAX),
    };
    const aim = at % 2 === 0 ? rules[below(rules.length)] : undefined;
    for (const term of aim?.terms ?? []) {
      if (term.op === '==') args[term.argument] = term.value;
      else if (term.op === 'in') args[term.argument] = term.values[below(term.values.length)] ?? '';
      else args.amount = term.op === '>' ? term.value + 1 + below(100) : below(term.value);
    }
    return { tool: at % 20 === 19 ? CLOSE : PAY, args };
  });
}

/** What the rules mean, written as plainly as can be: the answer all others are held to. */
export function meant(rules: readonly BenchRule[], { tool, args }: BenchCall): boolean {
  const matched = tool === PAY ? rules.filter(({ terms }) => terms.every((term) => holds(term, args))) : [];
  return matched.length > 0 && matched.every(({ effect }) => effect === 'allow');
}

function holds(term: Term, args: Payment): boolean {
  if (term.op === '==') return args[term.argument] === term.value;
  if (term.op === 'in') return term.values.includes(args[term.argument]);
  return term.op === '>' ? args.amount > term.value : args.amount <= term.value;
}

/** A rule's condition in CEL. `numbers` is how a whole number is written: `5000`, or `5000.0` for a double. */
export function celText({ terms }: BenchRule, numbers: 'int' | 'double' = 'int'): string {
  const texts = terms.map((term) => {
    if (term.op === 'in') return `args.${term.argument} in ${JSON.stringify(term.values)}`;
    const value =
      typeof term.value === 'string' ? JSON.stringify(term.value) : term.value.toFixed(numbers === 'int' ? 0 : 1);
    return `args.${term.argument} ${term.op} ${value}`;
  });
  return texts.join(' && ');
}

/** What else a configuration has, all of it nothing by default. */
export interface Beside {
  /** More rules, spread over other tools, ten to each. */
  readonly others?: number;
  readonly principals?: number;
  /** A clause before every condition; one that is always true leaves the rules what they are. */
  readonly opening?: string;
}

/** The rules as a configuration of this project. */
export function configurationText(rules: readonly BenchRule[], beside: Beside): string {
  const { others = 0, principals = 0, opening = '' } = beside;
  const written = rules.map((rule) => ruleText(rule, PAY, opening));
  for (const [at, rule] of benchRules(others).entries()) written.push(ruleText(rule, otherTool(at), ''));
  const known = Array.from({ length: principals }, (_, at) => `  ${principalName(at)}: { roles: [clerk] }`);
  const more = principals === 0 ? [] : ['principals:', ...known];
  const servers = ['servers:', '  bank: { command: bank }', '  other: { command: other }'];
  return ['interlock: 1', ...servers, 'rules:', ...written, ...more, ''].join('\n');
}

/** The tools that such a configuration speaks of, as their servers would list them. */
export function benchTools(others = 0): ReadonlyMap<string, ToolDefinition> {
  const names = new Set([PAY, CLOSE, ...Array.from({ length: others }, (_, at) => otherTool(at))]);
  const tools = Array.from(names, (name): [string, ToolDefinition] => {
    const [server = '', tool = ''] = name.split('.');
    const defined = defineTool(server, { name: tool, inputSchema: PAYMENT_SCHEMA });
    if (!defined.ok) throw new Error(defined.message);
    return [name, defined.tool];
  });
  return new Map(tools);
}

function otherTool(rule: number): string {
  return `other.pay${Math.floor(rule / PERIOD)}`;
}

function ruleText(rule: BenchRule, tool: string, opening: string): string {
  const condition = [...(opening === '' ? [] : [opening]), celText(rule)].join(' && ');
  return `  - ${rule.effect}: ${tool}\n    when: '${condition}'`;
}

export function principalName(at: number): string {
  return `clerk${at}@example.com`;
}
