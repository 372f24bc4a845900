/** YAML text to a document that is safe to read: one document, no tags, no duplicate keys, aliases bounded. */

import { isAlias, isCollection, isMap, isScalar, parseDocument, visit } from 'yaml';
import type { Alias, Node, Scalar, YAMLMap } from 'yaml';
import type { Issue } from '../value/issue.ts';
import type { Source } from './source.ts';
import { placeIn } from './source.ts';
import { shown } from './reader.ts';

/** One configuration file, in UTF-8 bytes at most four times these UTF-16 units. */
export const FILE_LENGTH_MAX: number = 1024 * 1024;
const DEPTH_MAX = 64;
const ALIASES_MAX = 1_000;
/** One mistake makes a YAML parser stumble many times; the first messages are the true ones. */
const SYNTAX_ISSUES_MAX = 3;

/** What a document is, in the words of its problems, and how long it may be. */
export interface DocumentKind {
  /** UTF-16 code units. */
  readonly lengthMax: number;
  readonly tooLong: string;
  readonly empty: { readonly code: string; readonly message: string; readonly hint: string };
}

const CONFIGURATION: DocumentKind = {
  lengthMax: FILE_LENGTH_MAX,
  tooLong: 'one file is one policy: is this the right file?',
  empty: {
    code: 'policy-empty',
    message: 'the configuration is empty, and an empty policy denies everything',
    hint: 'write at least `interlock: 1`',
  },
};

export interface Vetted {
  readonly root: Node;
  readonly aliases: ReadonlyMap<Alias, Node>;
}

/** The document's root, or `undefined` with the errors added to `issues`. */
export function vetDocument(
  source: Source,
  issues: Issue[],
  { lengthMax, tooLong, empty }: DocumentKind = CONFIGURATION,
): Vetted | undefined {
  const start = { line: 1, column: 1 };
  if (source.text.length > lengthMax) {
    const message = `expected at most ${lengthMax} characters, got ${source.text.length}`;
    issues.push({ code: 'too-large', severity: 'error', message, hint: tooLong, file: source.file, ...start });
    return undefined;
  }
  const options = { version: '1.2', schema: 'core', strict: true, merge: false, prettyErrors: false } as const;
  // The parser compares each key with all others; `checkKeys` does it in linear time and names both places.
  const document = parseDocument(source.text, { ...options, uniqueKeys: false, stringKeys: false });
  const problems = [...document.errors, ...document.warnings].toSorted((a, b) => a.pos[0] - b.pos[0]);
  const exhausted = problems.filter((problem) => problem.code === 'RESOURCE_EXHAUSTION').slice(0, 1);
  for (const { code, message, pos } of exhausted.length > 0 ? exhausted : problems.slice(0, SYNTAX_ISSUES_MAX)) {
    issues.push(syntaxIssue(source, code, message, pos[0]));
  }
  if (problems.length > 0) return undefined;
  const root: Node | null = document.contents;
  if (root === null || (isScalar(root) && root.value === null)) {
    issues.push({ ...empty, severity: 'error', file: source.file, ...start });
    return undefined;
  }
  const before = issues.length;
  const aliases = vetNodes(source, root, issues);
  return issues.length === before ? { root, aliases } : undefined;
}

function syntaxIssue(source: Source, code: string, message: string, offset: number): Issue {
  const place = placeIn(source, offset);
  const line = source.text.slice(source.lineStarts[place.line - 1], source.lineStarts[place.line]);
  const said = message.replaceAll(/\s+/gu, ' ').replace(/[:.]?$/u, '');
  const issue = { severity: 'error', file: source.file, ...place } as const;
  if (code === 'RESOURCE_EXHAUSTION') {
    return { ...issue, code: 'too-deep', message: `expected values nested at most ${DEPTH_MAX} deep, got more` };
  }
  if (code === 'TAG_RESOLVE_FAILED') return { ...issue, code: 'yaml-tag', message: 'tags are not part of this format' };
  const lowered = said.charAt(0).toLowerCase() + said.slice(1);
  const malformed = { ...issue, code: 'yaml-malformed', message: `not YAML: ${lowered}` };
  if (code === 'TAB_AS_INDENT') return { ...malformed, hint: 'indent with spaces' };
  const star = /(?:^|[\s:,[{-])\*/u.test(line);
  return star ? { ...malformed, hint: 'a pattern that begins with `*` needs quotes: `"*"`' } : malformed;
}

/** Checks every node once, and settles what each alias stands for. */
function vetNodes(source: Source, root: Node, issues: Issue[]): ReadonlyMap<Alias, Node> {
  const anchors = new Map<string, Node>();
  const aliases = new Map<Alias, Node>();
  const refuse = (node: Node, code: string, message: string, hint?: string): void => {
    const issue = {
      code,
      severity: 'error',
      message,
      file: source.file,
      ...placeIn(source, node.range?.[0] ?? 0),
    } as const;
    issues.push(hint === undefined ? issue : { ...issue, hint });
  };
  visit(root, {
    Node(_, node, path) {
      if (path.filter((outer) => isCollection(outer)).length > DEPTH_MAX) {
        refuse(node, 'too-deep', `expected values nested at most ${DEPTH_MAX} deep, got more`);
        return visit.BREAK;
      }
      if (isAlias(node)) {
        const found = anchors.get(node.source);
        if (found === undefined || path.includes(found)) {
          const hint = 'text that begins with `*` needs quotes: `"*"`';
          refuse(
            node,
            'alias-unresolved',
            `alias \`*${shown(node.source)}\` stands for nothing that is complete before it`,
            hint,
          );
        } else if (aliases.size >= ALIASES_MAX) {
          refuse(node, 'too-large', `expected at most ${ALIASES_MAX} aliases, got more`);
          return visit.BREAK;
        } else aliases.set(node, found);
        return undefined;
      }
      if (node.tag !== undefined)
        refuse(node, 'yaml-tag', `tags are not part of this format, got \`${shown(node.tag)}\``);
      if (node.anchor !== undefined) anchors.set(node.anchor, node);
      if (isMap(node)) checkKeys(source, node, refuse);
      return undefined;
    },
  });
  return aliases;
}

function checkKeys(
  source: Source,
  map: YAMLMap,
  refuse: (node: Node, code: string, message: string, hint?: string) => void,
): void {
  const seen = new Map<string, Scalar>();
  for (const { key } of map.items) {
    if (!isScalar(key) || typeof key.value !== 'string') {
      refuse(
        (key ?? map) as Node,
        'key-not-text',
        'expected a key to be text, got something else',
        'put the key in quotes',
      );
      continue;
    }
    const first = seen.get(key.value);
    if (first === undefined) seen.set(key.value, key);
    else {
      const { line } = placeIn(source, first.range?.[0] ?? 0);
      refuse(key, 'duplicate-key', `\`${shown(key.value)}\` is already written on line ${line}`);
    }
  }
}
