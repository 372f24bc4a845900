/** The laws of size, names and comments, each a function from files to the places that break it. */

import { basename } from 'node:path';
import { isNode, nameOf, problem, walk } from './source.ts';
import type { Files, Source, TreeNode } from './source.ts';

const LINES_MAX = 400;
const DEPTH_MAX = 3;

/** No file of code but a test is longer than 400 lines. */
export function longFiles(files: Files): string[] {
  return [...files].flatMap(([path, text]) => {
    const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
    if (lines <= LINES_MAX || path.endsWith('.test.ts')) return [];
    return [problem(path, LINES_MAX + 1, `${lines} lines; a file has at most ${LINES_MAX}`)];
  });
}

/** Folders under `src` nest at most three deep. */
export function deepFolders(files: Files): string[] {
  return [...files.keys()].flatMap((path) => {
    const depth = path.startsWith('src/') ? path.split('/').length - 2 : 0;
    return depth <= DEPTH_MAX ? [] : [problem(path, 1, `${depth} folders deep; at most ${DEPTH_MAX} under src`)];
  });
}

/** Words that say nothing of what a thing is. */
const EMPTY_WORDS = new Set(
  'manager managers handler handlers service services helper helpers util utils utility utilities base impl wrapper wrappers'.split(
    ' ',
  ),
);
const EMPTY_FILE_WORDS = new Set('common misc shared stuff new final old tmp wip'.split(' '));
const VERSION_WORD = /^(v2|new|final)$/;
const DATED = /(19|20)\d\d[-_.]?[01]\d|(task|phase|sprint|milestone|issue|part)[-_.]?\d/;

/** File names are kebab-case nouns or verbs, and name no date, task or phase. */
export function badFileNames(paths: Iterable<string>): string[] {
  return [...paths].flatMap((path) => {
    const name = basename(path);
    const stem = name.replace(/(\.test)?\.\w+$/, '').replace(/^\./, '');
    const bad = wordsOf(stem).find((word) => EMPTY_WORDS.has(word) || EMPTY_FILE_WORDS.has(word) || word === 'v2');
    if (bad !== undefined) return [problem(path, 1, `\`${bad}\` in a file name says nothing of what the file is`)];
    if (DATED.test(stem)) return [problem(path, 1, 'a file is not named after a date, a task or a phase')];
    const isCode = /\.[jt]s$/.test(name);
    return !isCode || /^[a-z0-9]+(-[a-z0-9]+)*$/.test(stem) ? [] : [problem(path, 1, 'a file name is kebab-case')];
  });
}

/** Exported names, and members of exported classes and interfaces, use the words of the field. */
export function badExportedNames({ path, program, lineOf }: Source): string[] {
  return exportedNames(program).flatMap(({ name, start }) => {
    const words = wordsOf(name);
    const bad = words.find((word, at) => EMPTY_WORDS.has(word) || (VERSION_WORD.test(word) && isVersion(words, at)));
    return bad === undefined ? [] : [problem(path, lineOf(start), `exported name \`${name}\` has the word \`${bad}\``)];
  });
}

/** `new` and `final` mark a version at either end of a name of several words; `newId` is a verb and its noun. */
function isVersion(words: readonly string[], at: number): boolean {
  return words[at] === 'v2' || at === words.length - 1 || (words[at] === 'final' && at === 0);
}

function exportedNames(program: TreeNode): { name: string; start: number }[] {
  const names: { name: string; start: number }[] = [];
  const add = (node: unknown): void => {
    const name = nameOf(node);
    if (name !== undefined && isNode(node)) names.push({ name, start: node.start });
  };
  walk(program, (node) => {
    if (node.type === 'ExportSpecifier') add(node['exported']);
    const declaration = node.type === 'ExportNamedDeclaration' ? node['declaration'] : undefined;
    if (!isNode(declaration)) return;
    if (declaration.type !== 'VariableDeclaration') return add(declaration['id']);
    for (const { id } of declaration['declarations'] as readonly { readonly id: TreeNode }[]) {
      walk(id, (inner, parent) => {
        if (parent === undefined || parent.type === 'Property' || parent.type === 'ArrayPattern') add(inner);
      });
    }
  });
  return names;
}

/** The words of a kebab, camel, Pascal or constant name, in lower case; digits stay with their word. */
export function wordsOf(name: string): string[] {
  const spaced = name.replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2').replaceAll(/([A-Z])([A-Z][a-z])/g, '$1 $2');
  return spaced
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '');
}

/** A file starts with a comment of at least one sentence that says what it is. */
export function headless({ path, text, comments }: Source): string[] {
  const at = text.startsWith('#!') ? text.indexOf('\n') + 1 : 0;
  const head = comments.find(({ start }) => start === at);
  const isSentence = /^\*\s[^]*\S[.:!?]\s*$/m.test(head?.value ?? '');
  return isSentence ? [] : [problem(path, 1, 'the first line is a `/** … */` sentence saying what the file is')];
}

/** No `any`, no silenced checks without a reason, no unfinished work. */
export function looseEnds({ path, program, comments, lineOf }: Source): string[] {
  const problems: string[] = [];
  walk(program, (node) => {
    if (node.type === 'TSAnyKeyword') problems.push(problem(path, lineOf(node.start), '`any` turns checking off'));
  });
  for (const { value, start } of comments) {
    const report = (message: string): void => void problems.push(problem(path, lineOf(start), message));
    const silences = /@ts-(ignore|nocheck|expect-error)/.exec(value);
    if (silences !== null && !path.endsWith('.test.ts')) report(`\`${silences[0]}\` turns checking off`);
    if (/(ox|es)lint-disable(?!.* -- \S)/.test(value)) report('a lint rule is silenced without ` -- reason`');
    const unfinished = /\b(TODO|FIXME|XXX|HACK)\b/.exec(value);
    if (unfinished !== null) report(`\`${unfinished[0]}\`: finish it or leave it out`);
  }
  return problems;
}

/** What must not stand in any committed text, and what only not in pages that people read. */
const FOREIGN: readonly { readonly pattern: RegExp; readonly what: string; readonly pages: boolean }[] = [
  { pattern: /\/work\/(main|shared)\b/, what: "a machine's path", pages: false },
  { pattern: /(?<![\w.~-])\/(work|root|tmp|home|Users)\/[\w.]/, what: "a machine's path", pages: true },
  {
    pattern: /\b(registry|mirror|proxy|deb|artifacts?)\.[a-z0-9-]+\.(org|com|net|io|dev)\b/,
    what: 'a registry host',
    pages: true,
  },
  { pattern: /\bissues? #?\d+|(?<![\w&`])#\d+\b/i, what: "an issue's number", pages: true },
  { pattern: /\b(TODO|FIXME)\b/, what: 'unfinished work', pages: true },
];

/** Committed text names no machine, no registry and no issue. */
export function foreignMentions(files: Files): string[] {
  return [...files].flatMap(([path, text]) => {
    const isPage = path.endsWith('.md');
    const patterns = FOREIGN.filter(({ pages }) => isPage || !pages);
    return text.split('\n').flatMap((line, at) => {
      const found = patterns.find(({ pattern }) => pattern.test(line));
      return found === undefined ? [] : [problem(path, at + 1, `${found.what}: \`${found.pattern.exec(line)?.[0]}\``)];
    });
  });
}

/** The lock names no registry, so that it installs from whichever one a machine uses. */
export function registryInLock(path: string, text: string): string[] {
  return text.split('\n').flatMap((line, at) => {
    return /^\s*"resolved":/.test(line) ? [problem(path, at + 1, '"resolved" names a registry')] : [];
  });
}
