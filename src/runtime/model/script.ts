/** Models without a model: answers from a file, chosen by what stands in the prompt. Pure but for what was given. */

import { vetDocument } from '../../document/document.ts';
import {
  readFields,
  readItems,
  readJson,
  readText,
  readWhole,
  readWord,
  readerOf,
  refuse,
} from '../../document/reader.ts';
import type { Entry, Item, Reader } from '../../document/reader.ts';
import { sourceOf } from '../../document/source.ts';
import { canonicalText } from '../../value/canonical.ts';
import type { Issue, Parsed, Place } from '../../value/issue.ts';
import { NO_TOKENS, type Question, type Reply, type Tokens } from './reply.ts';

const ENDS = ['failed', 'not-started', 'unknown'] as const;
const START: Place = { line: 1, column: 1 };
const TIMES_MAX = 1_000_000;
const SCRIPT = {
  lengthMax: 4 * 1024 * 1024,
  tooLong: 'a script is a list of answers',
  empty: { code: 'script-empty', message: 'the script is empty', hint: 'write `answers: [{ text: … }]`' },
};

interface ScriptedAnswer {
  /** It is given to prompts in which this stands; absent: to all. */
  readonly prompt?: string;
  /** How often it is given by one process; absent: as often as it fits. */
  readonly times?: number;
  readonly says: { readonly text: string } | { readonly end: (typeof ENDS)[number]; readonly reason: string };
  readonly tokens: Tokens;
}

export type Script = readonly ScriptedAnswer[];

/** The answers that `text`, YAML or JSON, lists, or everything that is wrong with it. */
export function parseScript(text: string, file: string): Parsed<Script> {
  const source = sourceOf(text, file);
  const issues: Issue[] = [];
  const vetted = vetDocument(source, issues, SCRIPT);
  if (vetted === undefined) return { ok: false, issues };
  const reader = readerOf(source, issues, vetted.aliases, {});
  const script: ScriptedAnswer[] = [];
  const answers = (entry: Entry): void => {
    for (const { item, place } of readItems(reader, entry.value, entry.place, '`answers`') ?? []) {
      const answer = readAnswer(reader, item, place);
      if (answer !== undefined) script.push(answer);
    }
  };
  readFields(reader, vetted.root, START, 'the script', { answers });
  return issues.length > 0 ? { ok: false, issues } : { ok: true, value: script, issues };
}

function readAnswer(reader: Reader, item: Item, place: Place): ScriptedAnswer | undefined {
  const what = 'an answer';
  const before = reader.issues.length;
  const draft: { prompt?: string; times?: number; tokens: Tokens } = { tokens: NO_TOKENS };
  const said: ScriptedAnswer['says'][] = [];
  let reason = 'the script says so';
  const parsers = {
    prompt: (entry: Entry) => {
      const read = readText(reader, entry.value, entry.place, `\`prompt\` of ${what}`);
      if (read !== undefined) draft.prompt = read.text;
    },
    times: (entry: Entry) => {
      draft.times = readWhole(reader, entry.value, entry.place, `\`times\` of ${what}`, 1, TIMES_MAX) ?? 1;
    },
    text: (entry: Entry) => {
      const read = readText(reader, entry.value, entry.place, `\`text\` of ${what}`);
      if (read !== undefined) said.push({ text: read.text });
    },
    json: (entry: Entry) => {
      const read = readJson(reader, entry.value, entry.place, `\`json\` of ${what}`);
      if (read !== undefined) said.push({ text: canonicalText(read) });
    },
    error: (entry: Entry) => {
      const end = readWord(reader, entry.value, entry.place, `\`error\` of ${what}`, ENDS);
      if (end !== undefined) said.push({ end, reason: '' });
    },
    reason: (entry: Entry) => {
      reason = readText(reader, entry.value, entry.place, `\`reason\` of ${what}`)?.text ?? reason;
    },
    tokens: (entry: Entry) => void (draft.tokens = readTokens(reader, entry)),
  };
  if (!readFields(reader, item, place, what, parsers) || reader.issues.length > before) return undefined;
  const [says, another] = said;
  if (says === undefined || another !== undefined) {
    return refuse(reader, place, 'wrong-value', `expected ${what} to have one of \`text\`, \`json\` and \`error\``);
  }
  return { ...draft, says: 'end' in says ? { ...says, reason } : says };
}

function readTokens(reader: Reader, { value, place }: Entry): Tokens {
  const tokens = { input: 0, output: 0 };
  const whole =
    (key: keyof Tokens) =>
    (entry: Entry): void => {
      const name = `\`${key}\` of \`tokens\``;
      tokens[key] = readWhole(reader, entry.value, entry.place, name, 0, Number.MAX_SAFE_INTEGER) ?? 0;
    };
  readFields(reader, value, place, '`tokens`', { input: whole('input'), output: whole('output') });
  return tokens;
}

/**
 * Gives the first answer that fits the prompt and is not used up. What is used up is counted by this process: an answer
 * without `times` is the same after a restart, and whatever was asked before.
 */
export function playScript(script: Script, model: string): (question: Question) => Reply {
  const given = new Map<ScriptedAnswer, number>();
  return ({ prompt }) => {
    const answer = script.find(
      (one) => prompt.includes(one.prompt ?? '') && (given.get(one) ?? 0) < (one.times ?? Number.POSITIVE_INFINITY),
    );
    if (answer === undefined) {
      return {
        kind: 'failed',
        reason: 'the script has no answer to this prompt, or none any more',
        model,
        tokens: NO_TOKENS,
      };
    }
    given.set(answer, (given.get(answer) ?? 0) + 1);
    const { says, tokens } = answer;
    if ('text' in says) return { kind: 'answered', text: says.text, model, tokens };
    return says.end === 'failed'
      ? { kind: says.end, reason: says.reason, model, tokens }
      : { kind: says.end, reason: says.reason };
  };
}
