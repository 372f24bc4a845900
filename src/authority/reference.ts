/**
 * References in the place of what a model is not to see: `vault://s_…/N` in a result, opened again in the arguments of a
 * later call of the same principal and session, before anything is decided.
 */

import { cut } from '../guard/secret/find.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { pointerStep, valueUnder } from '../ledger/recorded.ts';
import type { Decision } from '../policy/decide/decision.ts';
import type { Policy } from '../policy/policy.ts';
import { type JsonValue, isJsonObject } from '../value/json.ts';
import type { Answer } from './answer.ts';
import { type Hidden, hiddenIn, hidesResults } from './hidden.ts';
import type { Surroundings } from './prepare.ts';
import type { Proposal } from './proposal.ts';
import { resultOf } from './result.ts';
import { denial } from './sentence.ts';

const LABEL_LENGTH = 16;
const REFERENCE = /vault:\/\/s_[\w-]{16}\/[1-9]\d{0,8}(?!\d)/gu;
/** What a session refers to, and sessions; beyond, the oldest are forgotten. */
const REFERENCES_MAX = 10_000;
const SESSIONS_MAX = 1_000;

/** Where a value stands that a reference is to: nothing of it is kept here. */
interface Place {
  readonly call: string;
  /** Into its result: a JSON pointer. */
  readonly pointer: string;
  readonly hidden: Hidden;
}

interface Session {
  /** By reference. */
  readonly places: Map<string, Place>;
  /** References by an HMAC of what they are to, so that equal values have one. */
  readonly known: Map<string, string>;
  /** How many references each label has. */
  readonly counts: Map<string, number>;
}

/** Carries a proposal out with its references opened, and answers with references in the place of what is hidden. */
export type Referring = (
  policy: Policy | undefined,
  proposal: Proposal,
  carryOut: (opened: Proposal) => Promise<Answer>,
) => Promise<Answer>;

export function referring(ledger: Ledger, around: Surroundings): Referring {
  const sessions = new Map<string, Session>();
  return async (policy, proposal, carryOut) => {
    if (policy === undefined || !hidesResults(policy)) return carryOut(proposal);
    const name = JSON.stringify([proposal.principal, proposal.session]);
    const session = sessions.get(name) ?? { places: new Map(), known: new Map(), counts: new Map() };
    sessions.set(name, session);
    if (sessions.size > SESSIONS_MAX) forgetFirst(sessions);
    const opened = await openReferences({ ledger, around, policy, session }, proposal);
    const answer = await carryOut(opened);
    // A program is no model: what its models see of it is another matter.
    if (proposal.program !== undefined) return answer;
    const { call, sentence, output } = answer;
    const look = hiddenIn(around, policy, opened, call, output);
    const shown =
      output &&
      referred(output, '', look, (hidden, value, pointer) => {
        const scope = [proposal.principal, proposal.session, hidden.about];
        const label = around.vault.keyHmac('reference', ...scope).slice(2, 2 + LABEL_LENGTH);
        const known = around.vault.keyHmac('reference-value', ...scope, value);
        return refer(session, { call, pointer, hidden }, known, label);
      });
    return {
      ...answer,
      ...(sentence === undefined ? {} : { sentence: cut(sentence, look(sentence)) }),
      ...(isJsonObject(shown) ? { output: shown } : {}),
    };
  };
}

/** Whether a reference stands somewhere in `args`. */
export function hasReferences(args: JsonValue): boolean {
  return referencesIn(args).next().done !== true;
}

function* referencesIn(value: JsonValue): Generator<string, void> {
  if (typeof value === 'string') for (const [found] of value.matchAll(REFERENCE)) yield found;
  else if (Array.isArray(value)) for (const item of value as readonly JsonValue[]) yield* referencesIn(item);
  else if (isJsonObject(value)) for (const member of Object.values(value)) yield* referencesIn(member);
}

function forgetFirst<K>(map: Map<K, unknown>): void {
  const [first] = map.keys();
  if (first !== undefined) map.delete(first);
}

interface Opening {
  readonly ledger: Ledger;
  readonly around: Surroundings;
  readonly policy: Policy;
  readonly session: Session;
}

/** The proposal with what its references lead to; or as it was, with why it is denied. */
async function openReferences(opening: Opening, proposal: Proposal): Promise<Proposal> {
  const references = new Set(referencesIn(proposal.args));
  if (references.size === 0) return proposal;
  const values = new Map<string, string>();
  const [personal, secrets, subjects] = [new Set<string>(), new Set<string>(), new Set<string>()];
  for (const reference of references) {
    const place = opening.session.places.get(reference);
    const value = place === undefined ? undefined : await valueOf(opening, place);
    if (place === undefined || value === undefined) {
      return { ...proposal, unopened: unopened(proposal.tool, reference, place !== undefined) };
    }
    values.set(reference, value);
    (place.hidden.isSecret ? secrets : personal).add(value);
    if (place.hidden.about !== place.call) continue;
    for (const subject of await opening.ledger.subjectsOf(place.call)) subjects.add(subject);
  }
  const open = (text: string): string => text.replaceAll(REFERENCE, (found) => values.get(found) ?? found);
  const args = withTexts(proposal.args, open);
  const opened = { personal: [...personal], secrets: [...secrets], subjects: [...subjects] };
  return isJsonObject(args) ? { ...proposal, args, opened } : proposal;
}

/** Whether it is somebody else's, was made up or was never given is all one answer. */
function unopened(tool: string, reference: string, wasGiven: boolean): Decision {
  return wasGiven
    ? denial('erased', `${tool} is denied: what \`${reference}\` refers to is no longer kept`)
    : denial('guard-refused', `${tool} is denied: \`${reference}\` was not given in this session`);
}

/** What stands at `place` of a recorded result; nothing once that is gone, or is kept only without its secrets. */
async function valueOf(
  { ledger, around, policy }: Opening,
  { call, pointer, hidden }: Place,
): Promise<string | undefined> {
  const row = await ledger.call(call);
  const result = row === undefined ? undefined : await resultOf(ledger, row, around.world.now(), policy);
  if (result === undefined || result.redacted) return undefined;
  const found = valueUnder(result.value, pointer);
  if (typeof found !== 'string' && typeof found !== 'number') return undefined;
  return String(found).slice(hidden.start, hidden.end);
}

/** The reference to `place`, new or known: the last place is the one that is kept the longest. */
function refer({ places, known, counts }: Session, place: Place, value: string, label: string): string {
  const count = (counts.get(label) ?? 0) + 1;
  const reference = known.get(value) ?? `vault://s_${label}/${count}`;
  if (!known.has(value)) counts.set(label, count);
  known.set(value, reference);
  places.delete(reference);
  places.set(reference, place);
  if (places.size > REFERENCES_MAX) forgetFirst(places);
  if (known.size > REFERENCES_MAX) forgetFirst(known);
  return reference;
}

/** `output` with what `to` makes of what is hidden; a name, which nothing leads to, is cut. */
function referred(
  output: JsonValue,
  pointer: string,
  look: (text: string) => readonly Hidden[],
  to: (hidden: Hidden, value: string, pointer: string) => string,
): JsonValue {
  if (typeof output === 'string' || typeof output === 'number') {
    const text = String(output);
    const found = look(text);
    return found.length === 0
      ? output
      : cut(text, found, (hidden) => to(hidden, text.slice(hidden.start, hidden.end), pointer));
  }
  if (Array.isArray(output)) {
    return (output as readonly JsonValue[]).map((item, index) =>
      referred(item, pointer + pointerStep(index), look, to),
    );
  }
  if (!isJsonObject(output)) return output;
  const members = Object.entries(output).map(
    ([name, member]) => [cut(name, look(name)), referred(member, pointer + pointerStep(name), look, to)] as const,
  );
  return Object.fromEntries(members);
}

function withTexts(value: JsonValue, change: (text: string) => string): JsonValue {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return (value as readonly JsonValue[]).map((item) => withTexts(item, change));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, withTexts(member, change)]));
}
