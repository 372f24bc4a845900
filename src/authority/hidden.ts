/** What the policy hides of results from whoever called: personal values, secrets, or both. */

import { identifiersIn } from '../guard/personal/identifier.ts';
import { type Secret, apart } from '../guard/secret/find.ts';
import { personalOf } from '../policy/decide/decide.ts';
import type { Policy } from '../policy/policy.ts';
import type { JsonValue } from '../value/json.ts';
import { type Surroundings, requestOf } from './prepare.ts';
import type { Proposal } from './proposal.ts';
import { findingIn, secretsIn } from './secret.ts';

/** Shorter declared texts are hidden only where they stand alone: they would be found in everything. */
const WITHIN_MIN = 3;

/** What is hidden of a text; its kind is said where no reference can stand. */
export interface Hidden extends Secret {
  readonly isSecret: boolean;
  /** `s_…` of whom an identifier names; the call, of what has no form that tells whose it is. */
  readonly about: string;
}

/** Whether something of results is hidden: then they must be kept to be opened again. */
export function hidesResults({ configuration: { personal, secrets } }: Policy): boolean {
  return personal.results === 'hide' || secrets.results === 'hide';
}

/** What is hidden of the texts of `output`, which `call` answered to `proposal`; each in its order, and apart. */
export function hiddenIn(
  around: Surroundings,
  policy: Policy,
  proposal: Proposal,
  call: string,
  output: JsonValue = null,
): (text: string) => readonly Hidden[] {
  const { personal, secrets } = policy.configuration;
  const request = requestOf(proposal, call, 0);
  const declared = [...personalOf(policy, request).values, ...(proposal.opened?.personal ?? [])];
  const known = secretsIn(around, policy, request, proposal.opened?.secrets);
  const find = findingIn(around, policy, { tool: request.tool, secrets: known }, output);
  return (text) => {
    const found: Hidden[] = [];
    if (secrets.results === 'hide') for (const one of find(text)) found.push({ ...one, isSecret: true, about: call });
    if (personal.results === 'hide') found.push(...personalIn(around, call, declared, text));
    return inOrder(found);
  };
}

/** What is personal of a text of `call`: identifiers by their form, and the values that are declared. */
function* personalIn(
  { vault }: Pick<Surroundings, 'vault'>,
  call: string,
  declared: readonly string[],
  text: string,
): Generator<Hidden, void> {
  for (const { kind, name, start, end } of identifiersIn(text)) {
    yield { kind, start, end, isSecret: false, about: vault.subject(kind, name) };
  }
  for (const [start, end] of within(text, declared))
    yield { kind: 'personal', start, end, isSecret: false, about: call };
}

/** What of a text of the arguments of `call` no model sees. */
export function hiddenFromModels(
  around: Pick<Surroundings, 'vault'>,
  call: string,
  declared: readonly string[],
): (text: string) => readonly Hidden[] {
  return (text) => inOrder([...personalIn(around, call, declared, text)]);
}

function inOrder(found: readonly Hidden[]): readonly Hidden[] {
  return apart(found.toSorted((one, other) => one.start - other.start));
}

function* within(text: string, values: readonly string[]): Generator<readonly [start: number, end: number], void> {
  for (const value of values) {
    if (value.length < WITHIN_MIN && text !== value) continue;
    for (let at = text.indexOf(value); at !== -1; at = text.indexOf(value, at + value.length)) {
      yield [at, at + value.length];
    }
  }
}
