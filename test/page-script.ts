/** Makes one script of the modules that a page runs: `node test/page-script.ts --write`. */

import { readFileSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { isNode, nameOf, parseSource, problem, ROOT } from './source.ts';
import type { Source, TreeNode } from './source.ts';

/** A script and the module whose exports it has. */
interface Script {
  readonly entry: string;
  readonly file: string;
  readonly what: string;
  /** What the expression says of itself. */
  readonly needs: string;
  /** Modules that another script brings, under the variable that holds its exports. */
  readonly given: readonly string[];
}

const VERIFIER = 'src/ledger/verify/page.ts';

export const SCRIPTS: readonly Script[] = [
  {
    entry: VERIFIER,
    file: 'src/ledger/verify/page-script.ts',
    what: 'The structural verifier of bundles as one script for a page.',
    needs:
      'An expression with the exports of `page.ts` as members. Needs nothing but the language, TextEncoder and TextDecoder.',
    given: [],
  },
  {
    entry: 'src/report/page/button.ts',
    file: 'src/report/page-script.ts',
    what: 'What the page of a report runs, as one script.',
    needs:
      'An expression with the exports of `button.ts` as members. Needs the verifier under the name `ledgerVerifyPage`.',
    given: [VERIFIER],
  },
];

interface Piece {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

interface Module extends Source {
  /** Where types stood: blanks now. */
  readonly erased: readonly Piece[];
}

/** What stands for a module that a page does not have. */
const PORTABLE: ReadonlyMap<string, string> = new Map([['src/value/hash.ts', 'src/value/portable-hash.ts']]);

/** The modules that a script needs, each after those that it imports; fails on one that needs more than the language. */
function pageModules({ entry, given }: Script): readonly Module[] {
  const modules = new Map<string, Module>();
  const visit = (named: string): void => {
    const path = PORTABLE.get(named) ?? named;
    if (modules.has(path) || given.includes(path)) return;
    const typed = readFileSync(join(ROOT, path), 'utf8');
    const text = stripTypeScriptTypes(typed);
    const source = parseSource(path.replace(/\.ts$/, '.js'), text);
    for (const { specifier, target, line } of source.imports) {
      if (target === undefined) throw new Error(problem(path, line, `a page has no \`${specifier}\``));
      visit(target);
    }
    modules.set(path, { ...source, erased: erasedRanges(typed, text) });
  };
  visit(entry);
  return [...modules.values()];
}

function erasedRanges(typed: string, text: string): Piece[] {
  const ranges: Piece[] = [];
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === typed[at]) continue;
    let end = at + 1;
    while (end < text.length && (text[end] !== typed[end] || /\s/.test(text[end] ?? ''))) end += 1;
    while (text[end - 1] === typed[end - 1]) end -= 1;
    // An accessibility word or `readonly` stands before what it marks, with a space between; a type after it.
    while (text[end] === ' ' && /^\s*$/m.test(text.slice(text.lastIndexOf('\n', at) + 1, at))) end += 1;
    ranges.push({ start: at, end, text: '' });
    at = end;
  }
  return ranges;
}

/** The text of an expression whose value has the exports of the script's module as members. */
export function pageScript(script: Script): string {
  const modules = pageModules(script);
  const last = modules.at(-1)?.path ?? '';
  return `(() => {\n'use strict';\n${modules.map(moduleText).join('')}return ${nameIn(last)};\n})()`;
}

/** The variable that holds the exports of the module at `path`. */
function nameIn(path: string): string {
  return (PORTABLE.get(path.replace(/\.js$/, '.ts')) ?? path)
    .replace(/^src\/|\.[jt]s$/g, '')
    .replaceAll(/[^a-z]+(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** A module as a function that is called at once, without its comments. */
function moduleText({ path, text, program, comments, imports, erased }: Module): string {
  const exported: string[] = [];
  const statements = program['body'] as readonly TreeNode[];
  const pieces: Piece[] = [...comments.map(({ start, end }) => ({ start, end, text: '' })), ...erased];
  for (const node of statements) {
    const { start, end } = node;
    const target = imports.find(({ line }) => line === text.slice(0, start).split('\n').length)?.target;
    if (/^Export(All|Default)/.test(node.type)) throw new Error(problem(path, 1, `a script cannot \`${node.type}\``));
    if (node.type === 'ImportDeclaration') {
      pieces.push({ start, end, text: destructured(node, target) });
    } else if (node.type === 'ExportNamedDeclaration') {
      const { declaration } = node;
      exported.push(...(isNode(declaration) ? declaredNames(declaration) : exportedMembers(node, target)));
      pieces.push({ start, end: isNode(declaration) ? declaration.start : end, text: '' });
    }
  }
  const body = replaced(text, pieces)
    .replaceAll(/[ \t]+$/gm, '')
    .replaceAll(/\n{2,}/g, '\n');
  return `\n// ${path}\nconst ${nameIn(path)} = (() => {${body}return { ${exported.join(', ')} };\n})();\n`;
}

function destructured(node: TreeNode, target: string | undefined): string {
  if (target === undefined) throw new Error(`an import of \`${node.type}\` names no file`);
  const names = specifiersOf(node).map(([from, to]) => (from === to ? from : `${from}: ${to}`));
  return `const { ${names.join(', ')} } = ${nameIn(target)};`;
}

function exportedMembers(node: TreeNode, target: string | undefined): string[] {
  const from = target === undefined ? '' : `${nameIn(target)}.`;
  return specifiersOf(node).map(([inner, outer]) => (from + inner === outer ? outer : `${outer}: ${from}${inner}`));
}

/** The names of an import or export of names, there and here. */
function specifiersOf(node: TreeNode): [string, string][] {
  return (node['specifiers'] as readonly TreeNode[]).map((specifier) => {
    const from = nameOf(specifier['imported'] ?? specifier['local']);
    const to = nameOf(specifier['exported'] ?? specifier['local']);
    if (from === undefined || to === undefined) throw new Error(`a script cannot take \`${specifier.type}\``);
    return [from, to];
  });
}

function declaredNames(declaration: TreeNode): string[] {
  const declared =
    declaration.type === 'VariableDeclaration' ? (declaration['declarations'] as readonly TreeNode[]) : [declaration];
  return declared.map(({ id }) => nameOf(id) ?? '');
}

function replaced(text: string, pieces: readonly Piece[]): string {
  let out = '';
  let at = 0;
  for (const piece of pieces.toSorted((a, b) => a.start - b.start)) {
    if (piece.start < at) continue;
    out += text.slice(at, piece.start) + piece.text;
    at = piece.end;
  }
  return out + text.slice(at);
}

/** The file that holds the script: a module, so that it is found alike in the sources and in the package. */
function pageScriptFile(script: Script): string {
  return `/** ${script.what} Written by \`node test/page-script.ts --write\`. */

/** ${script.needs} */
export const PAGE_SCRIPT: string = ${JSON.stringify(pageScript(script))};
`;
}

if (import.meta.main) {
  for (const script of SCRIPTS) {
    if (process.argv.includes('--write')) writeFileSync(join(ROOT, script.file), pageScriptFile(script));
    else process.stdout.write(`${pageScript(script)}\n`);
  }
}
