/**
 * Finds secrets by their form: keys, tokens, passwords in addresses, by the rules that secretlint maintains. In linear
 * time, and of hostile text in bounded time or not at all.
 */

import { rules } from '@secretlint/secretlint-rule-preset-recommend';

export interface Secret {
  /** What it was found to be, as `aws`, `github` or `privatekey`. */
  readonly kind: string;
  /** Where it stands, UTF-16 units. */
  readonly start: number;
  readonly end: number;
}

/** The secrets in a text, in its order and apart from each other. Throws `SecretSearchError`. */
export type SecretSearch = (text: string) => readonly Secret[];

/** A text that could not be searched: it may hold anything. */
export class SecretSearchError extends Error {
  override readonly name = 'SecretSearchError';
}

type Rule = (typeof rules)[number];
type Context = Parameters<Rule['create']>[0];
type Source = Parameters<NonNullable<ReturnType<Rule['create']>['file']>>[0];

const PREFIX = '@secretlint/secretlint-rule-';
/** Words in a text that switch rules off for it: whoever writes the text would. */
const SWITCH = `${PREFIX}filter-comments`;
/** Found by a rule, and no secret. */
const IDENTIFIERS: ReadonlySet<string> = new Set(['AWSAccountID']);

/** What stands in every text in which a rule finds anything, for rules that take longer than to look for that. */
const NEEDED: Readonly<Record<string, RegExp>> = {
  aws: /A3T[A-Z0-9]{17}|(?:AKIA|AGPA|AIDA|AROA|AIPA|ANPA|ANVA|ASIA)[A-Z0-9]{16}|(?:SECRET|secret|Secret)_?(?:ACCESS|access|Access)/u,
  gcp: /"private_key_id"/u,
};

/** Where a rule may begin a long look for nothing; one search follows so many of them in all that it is given. */
const STARTS: Readonly<Record<string, RegExp>> = {
  github: /ghs_\d{1,20}_/gu,
  sendgrid: /SG\.\w{1,128}\.\w/gu,
};
const STARTS_MAX = 500;

interface Finder {
  readonly kind: string;
  readonly find: (text: string) => readonly Secret[];
}

const FINDERS: readonly Finder[] = rules.filter(({ meta }) => meta.id !== SWITCH).map(finderOf);

/** A search through the texts of one value: what is hostile in all of them together is refused. */
export function searchSecrets(): SecretSearch {
  const starts = new Map<string, number>();
  return (text) => {
    const found = FINDERS.flatMap(({ kind, find }) => {
      if (NEEDED[kind]?.test(text) === false) return [];
      countStarts(kind, text, starts);
      return find(text);
    });
    return found.length < 2 ? found : apart(found.toSorted((one, other) => one.start - other.start));
  };
}

/** `text` with `[secret: KIND]` in the place of each secret, and `[secret: unknown]` in that of one that is not searched. */
export function withoutSecrets(text: string, search: SecretSearch = searchSecrets()): string {
  try {
    return cut(text, search(text));
  } catch (error) {
    if (!(error instanceof SecretSearchError)) throw error;
    return redaction('unknown');
  }
}

/** `text` with what `show` says in the place of `secrets`, which stand apart from each other and in its order. */
export function cut<T extends Secret>(
  text: string,
  secrets: readonly T[],
  show: (secret: T) => string = ({ kind }) => redaction(kind),
): string {
  let shown = '';
  let from = 0;
  for (const secret of secrets) {
    shown += `${text.slice(from, secret.start)}${show(secret)}`;
    from = secret.end;
  }
  return shown + text.slice(from);
}

/** What stands in a text in the place of a secret. */
export function redaction(kind: string): string {
  return `[secret: ${kind}]`;
}

function refuse(): never {
  throw new SecretSearchError('a rule asks for more than a text');
}

/** Those that overlap are one, of the kind of the first; all in the order of the text. */
export function apart<T extends Secret>(found: readonly T[]): readonly T[] {
  const secrets: T[] = [];
  for (const secret of found) {
    const last = secrets.at(-1);
    if (last === undefined || secret.start >= last.end) secrets.push(secret);
    else if (secret.end > last.end) secrets[secrets.length - 1] = { ...last, end: secret.end };
  }
  return secrets;
}

function countStarts(kind: string, text: string, starts: Map<string, number>): void {
  const start = STARTS[kind];
  if (start === undefined) return;
  let count = starts.get(kind) ?? 0;
  for (const _ of text.matchAll(start)) count += 1;
  if (count > STARTS_MAX) {
    throw new SecretSearchError(`something begins like a secret of ${kind} more than ${STARTS_MAX} times`);
  }
  starts.set(kind, count);
}

/** Its rule answers within the call, which is what makes one sink of findings enough. */
function finderOf(rule: Rule): Finder {
  const kind = rule.meta.id.slice(PREFIX.length);
  let content = '';
  let found: Secret[] = [];
  const context: Context = {
    sharedOptions: {},
    createTranslator: () => (messageId, data) => ({ message: '', messageId: String(messageId), data }),
    ignore: () => undefined,
    report: ({ message, range: [start, end] }) => {
      if (IDENTIFIERS.has(message.messageId)) return;
      found.push({ kind, start, end: endOf(content, start, end, message.data) });
    },
  };
  const handler = rule.create(context, { enableIDScanRule: true });
  return {
    kind,
    find: (text) => {
      [content, found] = [text, []];
      let later: unknown;
      try {
        later = handler.file?.(sourceOf(text));
      } catch (error) {
        throw new SecretSearchError(`the rule ${kind} failed`, { cause: error });
      }
      if (later !== undefined) throw new SecretSearchError(`the rule ${kind} does not answer at once`);
      return found;
    },
  };
}

/** A rule may say where the name before a secret begins, and how long the secret after it is. */
function endOf(text: string, start: number, end: number, data: unknown): number {
  const values: readonly unknown[] = typeof data === 'object' && data !== null ? Object.values(data) : [];
  const secret = values.find((value) => typeof value === 'string' && value.length === end - start);
  const at = typeof secret === 'string' ? text.indexOf(secret, start) : start;
  return end + Math.max(0, at - start);
}

/** As if it were a document by itself: a credential of Google's is known by that. */
function sourceOf(content: string): Source {
  return {
    hasBOM: false,
    content,
    ext: '.json',
    filePath: undefined,
    physicalFilePath: undefined,
    contentType: 'text',
    getFilePath: () => undefined,
    getPhysicalFilePath: refuse,
    locationToRange: refuse,
    rangeToLocation: refuse,
    positionToIndex: refuse,
    indexToPosition: refuse,
  };
}
