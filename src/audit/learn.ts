/** The least policy that allows what was recorded: the configuration, with rules for exactly the calls that were made. */

import type { Configuration } from '../policy/document/configuration.ts';
import { type LearnedRule, type MadeCall, learnedRules } from '../policy/learned.ts';
import type { JsonObject, JsonValue } from '../value/json.ts';
import { isJsonObject } from '../value/json.ts';
import { decideUnder } from './decide-under.ts';
import { type ValueType, placesIn } from './places.ts';
import { type Decided, type Recording, decisions } from './recording.ts';

export interface Learned {
  /** The configuration as data: written as YAML it is one that loads. */
  readonly data: JsonObject;
  readonly rules: readonly LearnedRule[];
  /** Calls that were made and are allowed again. */
  readonly calls: number;
  /** What of the configuration had to go, because it stops calls that were made. */
  readonly dropped: readonly string[];
  /** The places of the rules of the configuration that stay. */
  readonly kept: ReadonlySet<number>;
  /** Calls that were made and are not allowed by it: something in them is sealed, or a gate stops them that is no rule. */
  readonly left: readonly number[];
  /** Of those, where something is sealed: by tool, the places among the arguments, and how many calls. */
  readonly sealed: readonly SealedCalls[];
}

export interface SealedCalls {
  readonly tool: string;
  /** JSON pointers, with `*` for the place in a list; the empty one where the arguments are sealed whole. */
  readonly places: readonly string[];
  readonly calls: number;
}

/** Reads a configuration that stands as data; nothing when it does not load. */
export type ReadData = (data: JsonObject) => Configuration | undefined;

const LEFT_MAX = 1_000;
const HIDDEN: ReadonlySet<ValueType> = new Set<ValueType>(['sealed', 'secret']);
/** Sealed places that are named of one tool. */
const PLACES_MAX = 20;

/**
 * Learns from the calls of `recording` that were allowed, from `since` on. The `ask` and `deny` rules of `base` and its
 * preset stay, unless a call that was made would not be allowed by them again. What is sealed is not opened, erased or not:
 * a literal in a rule would outlive it, and a rule without it would allow more than was done. Nothing when what comes out
 * does not load.
 */
export function learn(
  recording: () => Recording,
  base: Configuration,
  read: ReadData,
  since?: number,
): Learned | undefined {
  const { made, gone, sealed } = madeCalls(unopened(recording()), since);
  const rules = learnedRules(made);
  const kept = restricting(base.data);
  const dropped: string[] = [];
  const isShadow = base.preset === 'shadow';
  if (isShadow) dropped.push('preset');
  for (;;) {
    const data = dataWith(base.data, rules, kept, dropped);
    const configuration = read(data);
    if (configuration === undefined) return undefined;
    const { blocking, left } = stopped(unopened(recording()), configuration, since);
    const more = [...blocking].filter((id) => !dropped.includes(id));
    if (more.length === 0) {
      const staying = kept.filter(({ rule }) => isStaying(rule, dropped)).map(({ place }) => place);
      const told = { dropped, kept: new Set(staying), left: [...gone, ...left].slice(0, LEFT_MAX), sealed };
      return { data, rules, calls: made.length - left.length, ...told };
    }
    dropped.push(...more);
  }
}

function unopened(recording: Recording): Recording {
  return { ...recording, open: () => undefined };
}

function madeCalls(
  recording: Recording,
  since: number | undefined,
): { readonly made: readonly MadeCall[]; readonly gone: readonly number[]; readonly sealed: readonly SealedCalls[] } {
  const made: MadeCall[] = [];
  const gone: number[] = [];
  const sealed = new Map<string, { readonly places: Set<string>; calls: number }>();
  for (const item of decisions(recording, since)) {
    if (!isMade(item)) continue;
    const { request, position, entry } = item.recorded;
    if (item.hasArgs) made.push({ principal: request.principal, tool: request.tool, args: request.args });
    else gone.push(position);
    const places = placesIn(entry['args'] ?? {}).flatMap(({ pattern, type }) => (HIDDEN.has(type) ? [pattern] : []));
    if (places.length === 0) continue;
    const of = sealed.get(request.tool) ?? { places: new Set(), calls: 0 };
    sealed.set(request.tool, of);
    of.calls += 1;
    for (const place of places) if (of.places.size < PLACES_MAX) of.places.add(place);
  }
  const told = [...sealed].map(([tool, { places, calls }]) => ({ tool, places: [...places].toSorted(), calls }));
  return { made, gone, sealed: told };
}

/** What a probe asks is allowed by its declaration, and Interlock's own tools by themselves. */
function isMade({ recorded: { entry, request } }: Decided): boolean {
  return entry.type === 'call.intent' && entry['probes'] === undefined && !request.tool.startsWith('interlock.');
}

interface KeptRule {
  /** From 0, among the rules of the configuration. */
  readonly place: number;
  readonly rule: JsonObject;
}

/** The rules that only take away, with the ids that decisions name them by. */
function restricting(data: JsonObject): readonly KeptRule[] {
  const written: readonly JsonValue[] = Array.isArray(data['rules']) ? data['rules'] : [];
  return written.flatMap((rule, index) => {
    if (!isJsonObject(rule) || Object.hasOwn(rule, 'allow')) return [];
    return [{ place: index, rule: { id: `rules/${index}`, ...rule } }];
  });
}

function dataWith(
  base: JsonObject,
  rules: readonly LearnedRule[],
  kept: readonly KeptRule[],
  dropped: readonly string[],
): JsonObject {
  const { preset, ...rest } = base;
  const staying = kept.flatMap(({ rule }) => (isStaying(rule, dropped) ? [unnamed(rule)] : []));
  const named = preset === undefined || dropped.includes('preset') ? {} : { preset };
  return { ...rest, ...named, rules: [...staying, ...rules] };
}

function isStaying({ id }: JsonObject, dropped: readonly string[]): boolean {
  return typeof id !== 'string' || !dropped.includes(id);
}

/** An id that tells a place says nothing once the place is another. */
function unnamed(rule: JsonObject): JsonObject {
  const { id, ...rest } = rule;
  return typeof id === 'string' && /^rules\/\d+$/u.test(id)
    ? { ...rest, id: `kept/${id.slice('rules/'.length)}` }
    : rule;
}

/** The rules that stop a call that was made, and the calls that something else stops. */
function stopped(
  recording: Recording,
  configuration: Configuration,
  since: number | undefined,
): { readonly blocking: ReadonlySet<string>; readonly left: readonly number[] } {
  const blocking = new Set<string>();
  const left: number[] = [];
  for (const item of decisions(recording, since)) {
    if (!isMade(item) || !item.hasArgs) continue;
    const decision = decideUnder(item, configuration);
    if (decision?.effect === 'allow') continue;
    const rules = (decision?.rules ?? []).map(originOf);
    if (rules.length === 0) left.push(item.recorded.position);
    for (const rule of rules) blocking.add(rule);
  }
  return { blocking, left };
}

function originOf(id: string): string {
  if (id.startsWith('preset/')) return 'preset';
  return id.replace(/^kept\/(\d+)$/u, 'rules/$1');
}
