/** Secrets of a call: declared or found in it, and what is kept of texts and results that hold them. */

import {
  type Secret,
  type SecretSearch,
  SecretSearchError,
  apart,
  cut,
  redaction,
  searchSecrets,
} from '../guard/secret/find.ts';
import { pointerStep } from '../ledger/recorded.ts';
import { type DeclaredSecrets, secretTextsIn, secretsOf } from '../policy/decide/decide.ts';
import type { Request } from '../policy/decide/decision.ts';
import type { Policy } from '../policy/policy.ts';
import { canonicalText } from '../value/canonical.ts';
import { type JsonValue, isJsonObject } from '../value/json.ts';

const DECLARED = 'declared';
const UNKNOWN = 'unknown';
/** Shorter declared texts are secret only where they stand alone: they would be found in everything. */
const WITHIN_MIN = 3;
/** More declared texts than these are not looked for in everything that comes back. */
const TEXTS_MAX = 256;
/** No rule finds anything across it, so that all texts of a value are searched at once. */
const BETWEEN = '\n\u0000\n';
/** In a text of which all is a secret, which no rule sees when it stands among others. */
const WHOLE = '"private_key_id"';

/** What is known to be secret of a call by its arguments. */
export interface Secrets {
  /** Kinds, by the JSON pointers of the arguments that are, hold or are named by a secret. */
  readonly places: ReadonlyMap<string, string>;
  /** The arguments with `[secret: KIND]` in the place of what is secret of them; absent where nothing is. */
  readonly redacted?: JsonValue;
  /** Texts that the operator declares secret, wherever else they stand. */
  readonly texts: readonly string[];
  /** Why they could not be looked for: then anything may be one. */
  readonly problem?: string;
}

export const NO_SECRETS: Secrets = { places: new Map(), texts: [] };
const NOTHING_DECLARED: DeclaredSecrets = { paths: [], values: [] };
const ALL_UNKNOWN: Secrets = { places: new Map([['', UNKNOWN]]), redacted: redaction(UNKNOWN), texts: [] };

/** How secrets are found. */
export interface Searching {
  /** Makes a search for one value; the product's own if not given. */
  readonly searchSecrets?: () => SecretSearch;
}

type Find = (text: string) => readonly Secret[];

/** The secrets among the arguments of `request`; `more` are texts that are known to be. */
export function secretsIn(
  around: Searching,
  policy: Policy | undefined,
  request: Request,
  more: readonly string[] = [],
): Secrets {
  const declared: DeclaredSecrets = policy === undefined ? NOTHING_DECLARED : secretsOf(policy, request);
  const { paths } = declared;
  const texts = more.length === 0 ? declared.values : [...new Set([...declared.values, ...more])];
  // What is declared and cannot be told may be anything; the policy denies such a call.
  if (declared.problem !== undefined) return ALL_UNKNOWN;
  try {
    const search = searchOf(around, policy);
    checkTexts(texts);
    if (paths.length === 0 && !mayHold(request.args, texts, search()))
      return texts.length === 0 ? NO_SECRETS : { ...NO_SECRETS, texts };
    const places = new Map<string, string>();
    const redacted = walk({ places, paths, find: finding(texts, search()) }, request.args, '', []);
    return places.size === 0 ? { places, texts } : { places, redacted, texts };
  } catch (error) {
    return { ...ALL_UNKNOWN, problem: problemOf(error) };
  }
}

/** A call that was answered. */
interface Answered {
  readonly tool: string;
  readonly secrets: Secrets;
}

/** What is kept of what a call returned. */
export interface KeptOutput {
  /** Without its secrets, and otherwise of the same shape. */
  readonly value: JsonValue;
  /** As it came, where that holds secrets. */
  readonly live?: JsonValue;
  /** Why they could not be looked for: then nothing is kept, and nobody is told. */
  readonly problem?: string;
}

/** What may be kept of `output`, which `tool` answered to a call with `secrets`. */
export function keptOutput(
  around: Searching,
  policy: Policy | undefined,
  { tool, secrets }: Answered,
  output: JsonValue,
): KeptOutput {
  try {
    const texts = textsOf(policy, { tool, secrets }, output);
    const search = searchOf(around, policy);
    if (!mayHold(output, texts, search())) return { value: output };
    const value = without(output, finding(texts, search()));
    return canonicalText(value) === canonicalText(output) ? { value: output } : { value, live: output };
  } catch (error) {
    const value = { content: [{ type: 'text', text: redaction(UNKNOWN) }] };
    return { value, live: output, problem: problemOf(error) };
  }
}

/** What finds the secrets of `output` in its texts, one by one. Throws `SecretSearchError`. */
export function findingIn(around: Searching, policy: Policy, of: Answered, output: JsonValue): Find {
  return finding(textsOf(policy, of, output), searchOf(around, policy)());
}

/** What is declared secret of a call and of what it answered. */
function textsOf(policy: Policy | undefined, { tool, secrets }: Answered, output: JsonValue): readonly string[] {
  const declared = policy === undefined ? [] : secretTextsIn(policy, tool, output);
  const texts = [...new Set([...secrets.texts, ...declared])];
  checkTexts(texts);
  return texts;
}

/** A text for an entry or a caller, without the secrets of the call that it is about. */
export function textWithoutSecrets(
  around: Searching,
  policy: Policy | undefined,
  { texts }: Pick<Secrets, 'texts'>,
  text: string,
): string {
  try {
    return cut(text, finding(texts, searchOf(around, policy)())(text));
  } catch (error) {
    problemOf(error);
    return redaction(UNKNOWN);
  }
}

/** Secrets are looked for also where no policy says anything. */
function searchOf({ searchSecrets: own = searchSecrets }: Searching, policy: Policy | undefined): () => SecretSearch {
  return policy?.configuration.secrets.detect === false ? () => () => [] : own;
}

function checkTexts({ length }: readonly string[]): void {
  if (length > TEXTS_MAX) throw new SecretSearchError(`more than ${TEXTS_MAX} texts are declared secret`);
}

/** Why a search came to no end; anything but that is a bug. */
function problemOf(error: unknown): string {
  if (error instanceof SecretSearchError) return error.message;
  throw error;
}

/** Whether it is worth to look at each text of `value`: most hold nothing, and are told all at once. */
function mayHold(value: JsonValue, texts: readonly string[], search: SecretSearch): boolean {
  const all = [...textsIn(value)].join(BETWEEN);
  return all.includes(WHOLE) || texts.some((text) => all.includes(text)) || search(all).length > 0;
}

function* textsIn(value: JsonValue): Generator<string, void> {
  if (typeof value === 'string') yield value;
  else if (typeof value === 'number') yield String(value);
  else if (Array.isArray(value)) for (const item of value as readonly JsonValue[]) yield* textsIn(item);
  else if (isJsonObject(value)) {
    for (const [name, member] of Object.entries(value)) {
      yield name;
      yield* textsIn(member);
    }
  }
}

/** Where `texts` stand in a text, and what `search` finds there. */
function finding(texts: readonly string[], search: SecretSearch): Find {
  return (text) => {
    const found: Secret[] = [];
    for (const secret of texts) {
      if (text === secret) return [{ kind: DECLARED, start: 0, end: text.length }];
      if (secret.length < WITHIN_MIN) continue;
      for (let at = text.indexOf(secret); at !== -1; at = text.indexOf(secret, at + secret.length)) {
        found.push({ kind: DECLARED, start: at, end: at + secret.length });
      }
    }
    return apart([...found, ...search(text)].toSorted((one, other) => one.start - other.start));
  };
}

interface Looking {
  readonly places: Map<string, string>;
  readonly paths: readonly (readonly string[])[];
  readonly find: Find;
}

/** `value` without its secrets; where they stand is noted. An empty value is none. */
function walk(looking: Looking, value: JsonValue, pointer: string, path: readonly string[]): JsonValue {
  const { places, paths, find } = looking;
  const mark = (kind: string, shown = redaction(kind)): string => {
    places.set(pointer, kind);
    return shown;
  };
  const isNamed = paths.some((one) => one.length === path.length && one.every((name, at) => name === path[at]));
  if (isNamed && value !== null && value !== '') return mark(DECLARED);
  if (typeof value === 'string' || typeof value === 'number') {
    const text = String(value);
    const found = find(text);
    const [first] = found;
    return first === undefined ? value : mark(first.kind, cut(text, found));
  }
  // A name has no place of its own that anything could take.
  const [named] = isJsonObject(value) ? Object.keys(value).flatMap(find) : [];
  if (named !== undefined) return mark(named.kind);
  return mapped(value, (member, name) => walk(looking, member, pointer + pointerStep(name), [...path, String(name)]));
}

/** `value` without its secrets, those that are names included. */
function without(value: JsonValue, find: Find): JsonValue {
  if (typeof value === 'string') return cut(value, find(value));
  if (typeof value === 'number') {
    const [first] = find(String(value));
    return first === undefined ? value : redaction(first.kind);
  }
  const clean = mapped(value, (member) => without(member, find));
  if (!isJsonObject(clean)) return clean;
  return Object.fromEntries(Object.entries(clean).map(([name, member]) => [cut(name, find(name)), member]));
}

function mapped(value: JsonValue, change: (member: JsonValue, name: string | number) => JsonValue): JsonValue {
  if (Array.isArray(value)) return (value as readonly JsonValue[]).map(change);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, change(member, name)]));
}
