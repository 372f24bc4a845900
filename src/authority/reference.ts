/**
 * References in the place of what is not to be seen: `vault://s_…/N` in a result, or in what a model is asked, opened
 * again in the arguments of a later call of the same principal and session, before anything is decided.
 */

import { cut } from '../guard/secret/find.ts';
import { type Ledger, LedgerError } from '../ledger/ledger.ts';
import { commitmentsIn, literalOf, valueUnder } from '../ledger/recorded.ts';
import type { Decision } from '../policy/decide/decision.ts';
import type { Policy } from '../policy/policy.ts';
import { type JsonValue, isJsonObject } from '../value/json.ts';
import type { Answer } from './answer.ts';
import { type Hidden, hiddenIn, hidesResults } from './hidden.ts';
import type { Surroundings } from './prepare.ts';
import { type Sending, sending } from './projection.ts';
import type { Proposal } from './proposal.ts';
import { type Place, referred } from './referred.ts';
import { resultOf } from './result.ts';
import { denial } from './sentence.ts';
import { type Session, refer, sessions } from './sessions.ts';

const REFERENCE = /vault:\/\/s_[\w-]{16}\/[1-9]\d{0,8}(?!\d)/gu;
export interface Referring {
  /** Carries a proposal out with its references opened, and answers with references in the place of what is hidden. */
  carryOut(
    policy: Policy | undefined,
    proposal: Proposal,
    carryOut: (opened: Proposal) => Promise<Answer>,
  ): Promise<Answer>;
  /** What leaves of each call. */
  readonly sending: Sending;
}

export function referring(ledger: Ledger, around: Surroundings): Referring {
  const { vault } = around;
  const open = sessions(ledger, around);
  return {
    sending: sending(ledger, around, open),
    carryOut: async (policy, proposal, carryOut) => {
      if (policy === undefined || !gives(policy)) return carryOut(proposal);
      const session = await opened(open(policy, proposal));
      if (session === undefined) return carryOut({ ...proposal, unopened: unread(proposal.tool) });
      const known = await openReferences({ ledger, around, policy, session }, proposal);
      const answer = await carryOut(known);
      // A program is no model: what its models see of it is another matter.
      if (!hidesResults(policy) || proposal.program !== undefined) return answer;
      const { call, sentence, output } = answer;
      const look = hiddenIn(around, policy, known, call, output);
      const mark = (hidden: Hidden, value: string, pointer: string): string =>
        refer({ vault, scope: proposal, session }, { call, of: 'output', pointer, hidden }, value);
      const shown = output && referred(output, '', look, mark);
      return {
        ...answer,
        ...(sentence === undefined ? {} : { sentence: cut(sentence, look(sentence)) }),
        ...(isJsonObject(shown) ? { output: shown } : {}),
      };
    },
  };
}

async function opened(opening: Promise<Session>): Promise<Session | undefined> {
  try {
    return await opening;
  } catch (error) {
    if (error instanceof LedgerError) return undefined;
    throw error;
  }
}

function unread(tool: string): Decision {
  return denial('busy', `${tool} is denied: what was referred to before in this session cannot be read now`);
}

/** Whether there may be references: in results, or in what models are asked. */
function gives(policy: Policy): boolean {
  return hidesResults(policy) || policy.configuration.models.size > 0;
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

/** What stands at `place`; nothing once that is gone, or of a result that is kept only without its secrets. */
async function valueOf(opening: Opening, place: Place): Promise<string | undefined> {
  const { pointer, hidden } = place;
  const found =
    place.of === 'output' ? await outputAt(opening, place) : await argumentAt(opening, place.position, pointer);
  if (typeof found !== 'string' && typeof found !== 'number') return undefined;
  return String(found).slice(hidden.start, hidden.end);
}

async function outputAt({ ledger, around, policy }: Opening, { call, pointer }: Place): Promise<JsonValue | undefined> {
  const row = await ledger.call(call);
  const result = row === undefined ? undefined : await resultOf(ledger, row, around.world.now(), policy);
  return result === undefined || result.redacted ? undefined : valueUnder(result.value, pointer);
}

/** An argument as it was recorded: in clear, sealed by itself, or with what it stands in. */
async function argumentAt({ ledger }: Opening, position: number, pointer: string): Promise<JsonValue | undefined> {
  const recorded = (await ledger.entry(position))?.['args'] ?? {};
  const sealed = [...commitmentsIn(recorded).keys()];
  const at = sealed.find((place) => pointer === place || pointer.startsWith(`${place}/`));
  if (at === undefined) return valueUnder(literalOf(recorded, new Map()), pointer);
  const value = await ledger.argument(position, at);
  return value === undefined ? undefined : valueUnder(value, pointer.slice(at.length));
}

function withTexts(value: JsonValue, change: (text: string) => string): JsonValue {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return (value as readonly JsonValue[]).map((item) => withTexts(item, change));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, withTexts(member, change)]));
}
