/**
 * What each session was given references to, and what it declared to be personal: kept in memory, and of sessions that may
 * ask models told again by the log, so that a run goes on in another process with what its models were told in this one.
 */

import { redaction } from '../guard/secret/find.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Vault } from '../ledger/vault.ts';
import { secretPlacesIn } from '../ledger/recorded.ts';
import { personalOf } from '../policy/decide/decide.ts';
import type { Policy } from '../policy/policy.ts';
import { modelNameOf } from '../policy/tool/model.ts';
import { fromBase64Url } from '../value/encoding.ts';
import { type JsonObject, type JsonValue, isJsonObject } from '../value/json.ts';
import { parseInstant } from '../value/time.ts';
import { knownArgs } from './asked.ts';
import { type EarlierCall, earlierCalls } from './earlier.ts';
import { type Hidden, hiddenFromModels } from './hidden.ts';
import type { Surroundings } from './prepare.ts';
import { type Place, type Scope, referred } from './referred.ts';

const LABEL_LENGTH = 16;
/** Of the number in a reference. */
const NUMBER_MAX = 999_999_999;
/** What a session refers to, and sessions; beyond, the oldest are forgotten. */
const REFERENCES_MAX = 10_000;
const SESSIONS_MAX = 1_000;
/** Values that were declared personal in a session; looking for more in each prompt would take too long. */
const DECLARED_MAX = 1_000;

export interface Session {
  /** By reference. */
  readonly places: Map<string, Place>;
  /** References by an HMAC of what they are to, so that equal values have one. */
  readonly known: Map<string, string>;
  /** What was declared personal: no model is to see it, whatever call it stands in. */
  readonly declared: Set<string>;
}

/** Opens what is known of a session. Rejects with `LedgerError`: then it is opened anew the next time. */
export type OpenSession = (policy: Policy, scope: Scope) => Promise<Session>;

export function sessions(
  ledger: Pick<Ledger, 'entry' | 'argument'>,
  { vault }: Pick<Surroundings, 'vault'>,
): OpenSession {
  const opened = new Map<string, Promise<Session>>();
  const earlier = earlierCalls(ledger);
  const open = async (policy: Policy, scope: Scope): Promise<Session> => {
    const session = { places: new Map(), known: new Map(), declared: new Set<string>() };
    if (policy.configuration.models.size === 0) return session;
    for (const call of await earlier(scope)) await recall({ ledger, vault, policy, scope, session }, call);
    return session;
  };
  return (policy, scope) => {
    const name = JSON.stringify([scope.principal, scope.session]);
    const found = opened.get(name) ?? open(policy, scope);
    opened.set(name, found);
    found.catch(() => opened.delete(name));
    if (opened.size > SESSIONS_MAX) forgetFirst(opened);
    return found;
  };
}

interface Recalling {
  readonly ledger: Pick<Ledger, 'argument'>;
  readonly vault: Vault;
  readonly policy: Policy;
  readonly scope: Scope;
  readonly session: Session;
}

/** Knows again what a call of the log declared, and what a model was given of it; nothing of what was erased. */
async function recall(
  { ledger, vault, policy, scope, session }: Recalling,
  { position, entry }: EarlierCall,
): Promise<void> {
  const { call, tool, args: recorded = {}, at } = entry;
  const name = isJsonObject(tool) ? tool['name'] : undefined;
  if (typeof call !== 'string' || typeof name !== 'string') return;
  const args = await knownArgs(ledger, position, recorded);
  if (!isJsonObject(args)) return;
  const run = { id: scope.session, depth: 0 };
  const known = { call: { id: call, attempt: 1, key: '' }, run, now: parseInstant(at) ?? 0 };
  declare(session, personalOf(policy, { principal: scope.principal, tool: name, args, ...known }).values);
  const model = modelNameOf(name);
  if (model === undefined || policy.configuration.personal.shownTo.has(model)) return;
  project({ vault, scope, session }, { call, position, secrets: secretPlacesIn(recorded) }, args);
}

/** From now on `values` are personal in the whole session. */
export function declare({ declared }: Session, values: readonly string[]): void {
  for (const value of values) declared.add(value);
  while (declared.size > DECLARED_MAX) forgetFirst(declared);
}

export interface Projecting {
  readonly vault: Vault;
  readonly scope: Scope;
  readonly session: Session;
}

/** The call that asks a model: its intent stands at `position`, and secrets stood at these JSON pointers. */
interface AskingCall {
  readonly call: string;
  readonly position: number;
  readonly secrets: Iterable<string>;
}

/** `args`, which hold no secrets any more, with references in the place of what is personal of them. */
export function project(projecting: Projecting, { call, position, secrets }: AskingCall, args: JsonObject): JsonValue {
  const { vault, session } = projecting;
  const secret = [...secrets];
  const mark = (hidden: Hidden, value: string, pointer: string): string => {
    // Of a text with a secret nothing is kept, so that nothing of it could be opened again.
    const isKept = !secret.some((place) => pointer === place || pointer.startsWith(`${place}/`));
    if (!isKept) return redaction(hidden.kind);
    return refer(projecting, { call, of: 'args', position, pointer, hidden }, value);
  };
  return referred(args, '', hiddenFromModels({ vault }, call, [...session.declared]), mark);
}

/**
 * The reference to `value`, which stands at `place`: the same in every process, so that it is known again. Of two places
 * the last is the one that is kept the longest.
 */
export function refer({ vault, scope, session }: Projecting, place: Place, value: string): string {
  const { places, known } = session;
  const { about } = place.hidden;
  // What has no form that tells whose it is stands for itself in all that models are asked.
  const whose = place.of === 'args' && about === place.call ? value : about;
  const parts = [scope.principal, scope.session, whose];
  const label = vault.keyHmac('reference', ...parts).slice(2, 2 + LABEL_LENGTH);
  const mac = vault.keyHmac('reference-value', ...parts, value);
  let reference = known.get(mac);
  for (let number = numberOf(mac); reference === undefined; number = (number % NUMBER_MAX) + 1) {
    const free = `vault://s_${label}/${number}`;
    if (!places.has(free)) reference = free;
  }
  known.set(mac, reference);
  places.delete(reference);
  places.set(reference, place);
  if (places.size > REFERENCES_MAX) forgetFirst(places);
  if (known.size > REFERENCES_MAX) forgetFirst(known);
  return reference;
}

/** 1 to `NUMBER_MAX`, of an HMAC as text. */
function numberOf(mac: string): number {
  const bytes = fromBase64Url(mac.slice(2)) ?? new Uint8Array();
  return (bytes.subarray(0, 6).reduce((sum, byte) => sum * 256 + byte, 0) % NUMBER_MAX) + 1;
}

function forgetFirst<K>(map: Map<K, unknown> | Set<K>): void {
  const [first] = map.keys();
  if (first !== undefined) map.delete(first);
}
