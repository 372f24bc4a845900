/** The least policy that allows what was recorded: the configuration, with rules for exactly the calls that were made. */

import type { Configuration } from '../policy/document/configuration.ts';
import { type LearnedRule, type MadeCall, learnedRules } from '../policy/learned.ts';
import type { JsonObject, JsonValue } from '../value/json.ts';
import { isJsonObject } from '../value/json.ts';
import { decideUnder } from './decide-under.ts';
import { type Decided, type Recording, decisions } from './recording.ts';

export interface Learned {
  /** The configuration as data: written as YAML it is one that loads. */
  readonly data: JsonObject;
  readonly rules: readonly LearnedRule[];
  /** Calls that were made and are allowed again. */
  readonly calls: number;
  /** What of the configuration had to go, because it stops calls that were made. */
  readonly dropped: readonly string[];
  /** Calls that were made and are not allowed by it: their arguments are gone, or a gate stops them that is no rule. */
  readonly left: readonly number[];
}

/** Reads a configuration that stands as data; nothing when it does not load. */
export type ReadData = (data: JsonObject) => Configuration | undefined;

const LEFT_MAX = 1_000;

/**
 * Learns from the calls of `recording` that were allowed, from `since` on. The `ask` and `deny` rules of `base` and its
 * preset stay, unless a call that was made would not be allowed by them again. Nothing when what comes out does not load.
 */
export function learn(
  recording: () => Recording,
  base: Configuration,
  read: ReadData,
  since?: number,
): Learned | undefined {
  const { made, gone } = madeCalls(recording(), since);
  const rules = learnedRules(made);
  const kept = restricting(base.data);
  const dropped: string[] = [];
  const isShadow = base.preset === 'shadow';
  if (isShadow) dropped.push('preset');
  for (;;) {
    const data = dataWith(base.data, rules, kept, dropped);
    const configuration = read(data);
    if (configuration === undefined) return undefined;
    const { blocking, left } = stopped(recording(), configuration, since);
    const more = [...blocking].filter((id) => !dropped.includes(id));
    if (more.length === 0) {
      return { data, rules, calls: made.length - left.length, dropped, left: [...gone, ...left].slice(0, LEFT_MAX) };
    }
    dropped.push(...more);
  }
}

function madeCalls(recording: Recording, since: number | undefined): { made: MadeCall[]; gone: number[] } {
  const made: MadeCall[] = [];
  const gone: number[] = [];
  for (const item of decisions(recording, since)) {
    if (!isMade(item)) continue;
    const { request, position } = item.recorded;
    if (item.hasArgs) made.push({ principal: request.principal, tool: request.tool, args: request.args });
    else gone.push(position);
  }
  return { made, gone };
}

/** What a probe asks is allowed by its declaration, and Interlock's own tools by themselves. */
function isMade({ recorded: { entry, request } }: Decided): boolean {
  return entry.type === 'call.intent' && entry['probes'] === undefined && !request.tool.startsWith('interlock.');
}

/** The rules that only take away, with the ids that decisions name them by. */
function restricting(data: JsonObject): readonly JsonObject[] {
  const written: readonly JsonValue[] = Array.isArray(data['rules']) ? data['rules'] : [];
  return written.flatMap((rule, index) => {
    if (!isJsonObject(rule) || Object.hasOwn(rule, 'allow')) return [];
    return [{ id: `rules/${index}`, ...rule }];
  });
}

function dataWith(
  base: JsonObject,
  rules: readonly LearnedRule[],
  kept: readonly JsonObject[],
  dropped: readonly string[],
): JsonObject {
  const { preset, ...rest } = base;
  const staying = kept.filter(({ id }) => typeof id !== 'string' || !dropped.includes(id)).map(unnamed);
  const named = preset === undefined || dropped.includes('preset') ? {} : { preset };
  return { ...rest, ...named, rules: [...staying, ...rules] };
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
