/** `preset:` — what holds besides the rules of the file: rules that stand for a word. Meaning: docs/policy.md. */

import type { Place } from '../../value/issue.ts';
import { readWord } from '../../document/reader.ts';
import type { Entry, Reader } from '../../document/reader.ts';
import type { Rule } from './rule.ts';

/**
 * `read-only` denies every tool that is not declared `effect: read`, `strict` asks about it; `shadow` decides and tells,
 * and denies nothing by rules.
 */
export type Preset = 'read-only' | 'strict' | 'shadow';

const PRESETS: readonly Preset[] = ['read-only', 'strict', 'shadow'];
const WITH_EFFECTS = 'tool.effect != "read"';
const PREFIX = 'preset/';

interface PresetSetting {
  readonly preset: Preset;
  /** To be added to the rules of the file. */
  readonly rules: readonly Rule[];
}

export function readPreset(reader: Reader, entry: Entry): PresetSetting | undefined {
  const preset = readWord(reader, entry.value, entry.place, '`preset`', PRESETS);
  if (preset === undefined) return undefined;
  const rules = { 'read-only': denyEffects, strict: askEffects, shadow: () => [] }[preset](entry.place);
  return { preset, rules };
}

function denyEffects(place: Place): readonly Rule[] {
  const because = 'the preset `read-only` denies what is not declared `effect: read`';
  return [{ ...ruleOn('read-only', place), effect: 'deny', because }];
}

function askEffects(place: Place): readonly Rule[] {
  const because = 'the preset `strict` asks about what is not declared `effect: read`';
  return [{ ...ruleOn('strict', place), effect: 'ask', because }];
}

function ruleOn(name: string, place: Place): Omit<Rule, 'effect'> {
  const id = `${PREFIX}${name}`;
  // With a `/` in its text it matches methods as well as tools.
  const pattern = { text: id, runs: ['', ''], place };
  return { id, place, pattern, when: { text: WITH_EFFECTS, marks: [{ offset: 0, ...place }] } };
}

/** Whether a rule stands for a preset: nobody wrote it, so it is not told to be superfluous. */
export function isPreset({ id }: Rule): boolean {
  return id.startsWith(PREFIX);
}
