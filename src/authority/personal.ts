/** Personal data of a call: found in what it says, and recorded as commitments to what only the vault can open. */

import { type Identifier, hasIdentifier, identifiersIn, withoutIdentifiers } from '../guard/personal/identifier.ts';
import { bodyField, pointerStep, secretField } from '../ledger/recorded.ts';
import type { BodyRole, SealedBody } from '../ledger/ledger.ts';
import type { Vault } from '../ledger/vault.ts';
import { type DeclaredPersonal, personalOf } from '../policy/decide/decide.ts';
import type { Request } from '../policy/decide/decision.ts';
import type { Policy } from '../policy/policy.ts';
import { canonicalBytes, canonicalText } from '../value/canonical.ts';
import { type JsonObject, type JsonValue, isJsonObject } from '../value/json.ts';
import { ENTRY_BYTES_MAX } from '../value/limits.ts';
import type { Opened } from './proposal.ts';
import { NO_SECRETS, type Secrets } from './secret.ts';

/** Room left in an entry for everything but the arguments. */
const ARGS_BYTES_MAX = ENTRY_BYTES_MAX - 16_384;
/** As many sealed values, or more, are sealed as one. */
const VALUES_MAX = 256;
/** What is about more people than that is not kept at all: each of them could have it erased. */
export const SUBJECTS_MAX = 1_000;
/** Shorter declared texts are personal only where they stand alone: they would be found in everything. */
const WITHIN_MIN = 3;

/** What is known to be personal of a call before one looks at its values. */
export interface Personal {
  /** `s_…` of whom the call says that it is about. */
  readonly claims: readonly string[];
  /** Whom else everything is about, which no entry says. */
  readonly more?: readonly string[];
  readonly declared: DeclaredPersonal;
}

const NOTHING_DECLARED: DeclaredPersonal = { subjects: [], paths: [], values: [] };
/** Of a call of which nothing is declared. */
const UNDECLARED: Personal = { claims: [], declared: NOTHING_DECLARED };

/** `opened` is what was hidden of it before. */
export function personalDataOf(vault: Vault, policy: Policy | undefined, request: Request, opened?: Opened): Personal {
  const declared = policy === undefined ? NOTHING_DECLARED : personalOf(policy, request);
  const claims = declared.subjects.map((name) => vault.subject('id', name));
  if (opened === undefined) return { claims, declared };
  const values = [...new Set([...declared.values, ...opened.personal])];
  return { claims, more: opened.subjects, declared: { ...declared, values } };
}

/** Arguments as an entry holds them, and the bodies that its commitments are to. */
export interface RecordedArgs {
  readonly value: JsonValue;
  readonly bodies: readonly SealedBody[];
  /** Under whose keys the outcome belongs as well: everybody found, or the call itself. */
  readonly subjects: readonly string[];
}

/** A value to be sealed; `redacted` where its secrets are not in it any more. */
interface Kept {
  readonly value: JsonValue;
  readonly redacted?: boolean;
}

/**
 * Literal what is neither personal nor secret, a commitment in the place of each personal value, `{"$secret": kind}` in
 * that of each secret; one commitment to all, without its secrets, where that would be too large. An object that has a key beginning with `$` becomes `{"$lit": object}`, so that an agent's arguments
 * can never pass for a commitment.
 */
export function recordArgs(
  vault: Vault,
  call: string,
  args: JsonObject,
  personal: Personal = UNDECLARED,
  secrets: Secrets = NO_SECRETS,
): RecordedArgs {
  const sealing = new Sealing(vault, call, personal, secrets);
  const value = sealing.record(args, '', []);
  const { bodies, subjects } = sealing;
  const isWhole = sealing.isFull || personal.declared.problem !== undefined;
  if (!isWhole && canonicalBytes(value).length <= ARGS_BYTES_MAX) return { value, bodies, subjects };
  // What could not be told apart is nobody's in particular, and so the call's.
  const everybody = subjects.length === 0 && personal.declared.problem !== undefined ? [call] : subjects;
  const { redacted } = secrets;
  const kept = redacted === undefined ? { value: args } : { value: redacted, redacted: true };
  return sealBody(vault, call, 'args', kept, everybodyIn(vault, args, everybody));
}

/** A body under the keys of `subjects` and of everybody who is found in it; `value` is what the entry says of it. */
export function sealBody(
  vault: Vault,
  call: string,
  role: BodyRole,
  { value, redacted }: Kept,
  subjects: readonly string[],
): RecordedArgs {
  const everybody = everybodyIn(vault, value, subjects);
  const isKept = everybody.length <= SUBJECTS_MAX;
  const { commitment, body } = vault.seal(call, role, value, isKept ? everybody : []);
  return { value: bodyField(commitment, isKept, redacted), bodies: isKept ? [body] : [], subjects: everybody };
}

/** `known` and everybody who is found in `value`, up to one more than can be kept apart. */
function everybodyIn(vault: Vault, value: JsonValue, known: readonly string[]): readonly string[] {
  const everybody = new Set(known);
  const seen = new Set<string>();
  for (const { kind, name } of namesIn(value)) {
    if (seen.has(name)) continue;
    seen.add(name);
    everybody.add(vault.subject(kind, name));
    if (everybody.size > SUBJECTS_MAX) break;
  }
  return [...everybody];
}

/** A text for an entry, without what is personal of the call that it is about. */
export function impersonal(text: string, policy: Policy, request: Request): string {
  const { values } = personalOf(policy, request);
  let shown = withoutIdentifiers(text);
  for (const value of values) if (value.length >= WITHIN_MIN) shown = shown.replaceAll(value, '[personal]');
  return shown;
}

function* namesIn(value: JsonValue): Generator<Identifier, void> {
  if (typeof value === 'string') yield* identifiersIn(value);
  else if (Array.isArray(value)) for (const item of value as readonly JsonValue[]) yield* namesIn(item);
  else if (isJsonObject(value)) {
    for (const [name, member] of Object.entries(value)) {
      yield* identifiersIn(name);
      yield* namesIn(member);
    }
  }
}

/** One walk through the arguments of a call. */
class Sealing {
  readonly bodies: SealedBody[] = [];
  readonly #vault: Vault;
  readonly #call: string;
  readonly #personal: Personal;
  readonly #secrets: Secrets;
  readonly #alone: ReadonlySet<string>;
  readonly #within: readonly string[];
  readonly #known: readonly string[];
  readonly #subjects: Set<string>;

  constructor(vault: Vault, call: string, personal: Personal, secrets: Secrets) {
    this.#vault = vault;
    this.#call = call;
    this.#personal = personal;
    this.#secrets = secrets;
    this.#alone = new Set(personal.declared.values);
    this.#within = personal.declared.values.filter((value) => value.length >= WITHIN_MIN);
    this.#known = [...new Set([...personal.claims, ...(personal.more ?? [])])];
    this.#subjects = new Set(this.#known);
  }

  get subjects(): readonly string[] {
    return [...this.#subjects];
  }

  /**
   * Whether there is too much to seal one by one: then nothing that was recorded holds, and nothing more is looked at.
   * Whoever writes arguments must not keep everybody else waiting.
   */
  get isFull(): boolean {
    return this.bodies.length >= VALUES_MAX || this.#subjects.size > SUBJECTS_MAX;
  }

  /** `value` as it is recorded; `path` names its members, `pointer` is the same as text. */
  record(value: JsonValue, pointer: string, path: readonly string[]): JsonValue {
    if (this.isFull) return value;
    const secret = this.#secrets.places.get(pointer);
    if (secret !== undefined) {
      this.#find(value);
      return secretField(secret);
    }
    if (this.#isDeclared(value, path)) return this.#seal(value, pointer, path);
    if (typeof value === 'string' || typeof value === 'number') {
      return this.#isPersonal(String(value)) ? this.#seal(value, pointer, path) : value;
    }
    if (Array.isArray(value)) {
      const items: readonly JsonValue[] = value;
      return items.map((item, index) => this.record(item, pointer + pointerStep(index), [...path, String(index)]));
    }
    if (!isJsonObject(value)) return value;
    const names = Object.keys(value);
    // A name has no place of its own that a commitment could take.
    if (names.some((name) => this.#isPersonal(name))) return this.#seal(value, pointer, path);
    const copy = Object.fromEntries(
      names.map((name) => [name, this.record(value[name] ?? null, pointer + pointerStep(name), [...path, name])]),
    );
    return names.some((name) => name.startsWith('$')) ? { $lit: copy } : copy;
  }

  /** An empty value says nothing of anybody, and stays what a reader can see to be empty. */
  #isDeclared(value: JsonValue, path: readonly string[]): boolean {
    if (value === null || value === '') return false;
    return this.#personal.declared.paths.some(
      (one) => one.length === path.length && one.every((name, index) => name === path[index]),
    );
  }

  #isPersonal(text: string): boolean {
    if (this.#alone.has(text) || this.#within.some((value) => text.includes(value))) return true;
    return hasIdentifier(text);
  }

  #seal(value: JsonValue, pointer: string, path: readonly string[]): JsonObject {
    // Values of nobody in particular lie under a key of the call.
    const subjects = this.#find(value);
    if (this.isFull) return {};
    const redacted = this.#redacted(value, path);
    const kept = redacted ?? value;
    const { commitment, body } = this.#vault.seal(this.#call, `args${pointer}`, kept, subjects);
    this.bodies.push(body);
    const mark = redacted === undefined ? {} : { redacted: true };
    return pointer === '' ? { $body: commitment, ...mark } : { $sealed: commitment, ...mark };
  }

  /** Whom `value` is about, who then is also whom the call is about. */
  #find(value: JsonValue): readonly string[] {
    const found = everybodyIn(this.#vault, value, this.#known);
    const subjects = found.length === 0 ? [this.#call] : found;
    for (const subject of subjects) this.#subjects.add(subject);
    return subjects;
  }

  /** What stands at `path` without its secrets; nothing where it has none. */
  #redacted(value: JsonValue, path: readonly string[]): JsonValue | undefined {
    let found = this.#secrets.redacted;
    for (const name of path) found = (found as JsonObject | undefined)?.[name];
    return found === undefined || canonicalText(found) === canonicalText(value) ? undefined : found;
  }
}
