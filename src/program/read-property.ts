/** Reads the sentences of `properties:` into their parts, each with its place. */

import { type Entry, type Reader, readTexts, refuse, shown } from '../document/reader.ts';
import { type Located, locate, pieceOf } from '../document/source.ts';
import type { WrittenProperty } from './written.ts';

const PROPERTIES_MAX = 100;
/** More would be a count of its own in every place that a run can be at. */
const TIMES_MAX = 100;

/** A step, a tool, a model, or that the run succeeds. */
const NAME = String.raw`(?:end\s+success(?!\S)|\S+)`;
/** A name, and a condition of CEL that reaches to the end of the sentence or to `only after`. */
const SUBJECT = String.raw`(?<name>${NAME})(?:\s+with\s+(?<when>\S(?:[^]*\S)?))?`;
const FORMS = {
  'only-after': new RegExp(String.raw`^${SUBJECT}\s+only\s+after\s+(?<other>${NAME})$`, 'du'),
  'never-then': new RegExp(String.raw`^never\s+(?<other>${NAME})\s+then\s+${SUBJECT}$`, 'du'),
  never: new RegExp(String.raw`^never\s+${SUBJECT}$`, 'du'),
  'at-most': new RegExp(String.raw`^at\s+most\s+(?<times>\d+)\s+(?<name>${NAME})$`, 'du'),
} as const;

const HINT =
  'write `X only after Y`, `never X`, `never X then Y` or `at most N X`; `X with CONDITION` but for `at most`';

/** All properties in the order of the document; nothing with errors. */
export function readProperties(reader: Reader, entry: Entry): readonly WrittenProperty[] | undefined {
  const texts = readTexts(reader, entry.value, entry.place, '`properties`');
  if (texts !== undefined && texts.length > PROPERTIES_MAX) {
    const message = `expected \`properties\` to have at most ${PROPERTIES_MAX} sentences, got ${texts.length}`;
    return refuse(reader, entry.place, 'too-large', message);
  }
  const properties = texts?.map((text) => readProperty(reader, text));
  return properties?.every((one) => one !== undefined) === true ? properties : undefined;
}

function readProperty(reader: Reader, sentence: Located): WrittenProperty | undefined {
  const onlyAfter = partsOf(sentence, FORMS['only-after']);
  if (onlyAfter?.other !== undefined) {
    const { other: after, ...parts } = onlyAfter;
    return { kind: 'only-after', sentence, ...parts, after };
  }
  const neverThen = partsOf(sentence, FORMS['never-then']);
  if (neverThen?.other !== undefined) {
    const { other: first, ...parts } = neverThen;
    return { kind: 'never-then', sentence, ...parts, first };
  }
  const never = partsOf(sentence, FORMS.never);
  if (never !== undefined) return { kind: 'never', sentence, name: never.name, ...whenOf(never) };
  const atMost = partsOf(sentence, FORMS['at-most']);
  if (atMost?.times !== undefined) return readTimes(reader, sentence, atMost.name, atMost.times);
  const message = `expected a property, got \`${shown(sentence.text)}\``;
  return refuse(reader, locate(sentence, 0), 'property-malformed', message, HINT);
}

function whenOf({ when }: Parts): { readonly when?: Located } {
  return when === undefined ? {} : { when };
}

function readTimes(reader: Reader, sentence: Located, name: Located, text: Located): WrittenProperty | undefined {
  const times = Number(text.text);
  if (times >= 1 && times <= TIMES_MAX) return { kind: 'at-most', sentence, name, times };
  const message = `expected \`at most\` a whole number of 1 to ${TIMES_MAX}, got \`${shown(text.text)}\``;
  const hint = times === 0 ? `write \`never ${shown(name.text)}\`` : undefined;
  return refuse(reader, locate(text, 0), 'wrong-value', message, hint);
}

interface Parts {
  readonly name: Located;
  readonly when?: Located;
  readonly other?: Located;
  readonly times?: Located;
}

/** The named groups of `form`, each with its places; nothing when the sentence is not of it. */
function partsOf(sentence: Located, form: RegExp): Parts | undefined {
  const found = form.exec(sentence.text);
  const piece = (group: string): Located | undefined => {
    const [from, to] = found?.indices?.groups?.[group] ?? [];
    return from === undefined ? undefined : pieceOf(sentence, from, sentence.text.slice(from, to));
  };
  const name = piece('name');
  if (name === undefined) return undefined;
  const [when, other, times] = [piece('when'), piece('other'), piece('times')];
  return {
    name,
    ...(when === undefined ? {} : { when }),
    ...(other === undefined ? {} : { other }),
    ...(times === undefined ? {} : { times }),
  };
}
