/** The repository's own files as parsed trees, for the tests that read the code. */

import { readFileSync, readdirSync, statSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, posix, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseSync, visitorKeys } from 'oxc-parser';

export const ROOT: string = resolve(dirname(fileURLToPath(import.meta.url)), '..');

/** Contents by path, which is relative to the root and has forward slashes. */
export type Files = ReadonlyMap<string, string>;

/** A node of the ESTree; `start` and `end` are UTF-16 offsets. */
export interface TreeNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

export interface Comment {
  readonly value: string;
  readonly start: number;
  readonly end: number;
}

/** One `import`, `export … from` or `import()`. `target` is the file it names when it is relative. */
export interface Import {
  readonly specifier: string;
  readonly target?: string;
  /** What is imported by name; `*` for a namespace, `default` for a default import. */
  readonly names: readonly string[];
  readonly line: number;
}

export interface Source {
  readonly path: string;
  readonly text: string;
  readonly program: TreeNode;
  readonly comments: readonly Comment[];
  readonly imports: readonly Import[];
  /** The line, from 1, of a UTF-16 offset. */
  readonly lineOf: (offset: number) => number;
}

/** A broken law, rendered as `path:line: message`. */
export function problem(path: string, line: number, message: string): string {
  return `${path}:${line}: ${message}`;
}

const UNREAD = new Set(['node_modules', 'dist', 'coverage', '.git', '.interlock', 'vectors']);

/** The files among `tops` and under the folders among them whose names end in one of `endings`; absent ones are none. */
export function readFiles(tops: readonly string[], endings: readonly string[]): Files {
  const files = new Map<string, string>();
  const visit = (path: string): void => {
    const found = statSync(join(ROOT, path), { throwIfNoEntry: false });
    if (found?.isDirectory() === true) {
      for (const name of readdirSync(join(ROOT, path)).sort()) {
        if (!UNREAD.has(name)) visit(posix.join(path, name));
      }
    } else if (found?.isFile() === true && endings.some((ending) => path.endsWith(ending))) {
      files.set(path, readFileSync(join(ROOT, path), 'utf8'));
    }
  };
  for (const top of tops) visit(top);
  return files;
}

export function parseSource(path: string, text: string): Source {
  const parsed = parseSync(path, text, { sourceType: 'module' });
  const first = parsed.errors[0];
  if (first !== undefined) throw new Error(problem(path, 1, `does not parse: ${first.message}`));
  const program = parsed.program as unknown as TreeNode;
  const lineOf = (offset: number): number => text.slice(0, offset).split('\n').length;
  return { path, text, program, comments: parsed.comments, imports: importsOf(path, program, lineOf), lineOf };
}

/** Visits `node` and everything below it, with its parent and the parent's field it stands in. */
export function walk(node: TreeNode, visit: (node: TreeNode, parent?: TreeNode, field?: string) => void): void {
  const step = (current: TreeNode, parent?: TreeNode, field?: string): void => {
    visit(current, parent, field);
    for (const key of visitorKeys[current.type] ?? []) {
      for (const child of [current[key]].flat()) if (isNode(child)) step(child, current, key);
    }
  };
  step(node);
}

export function isNode(value: unknown): value is TreeNode {
  return typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string';
}

/** The name of an identifier node, else undefined. */
export function nameOf(node: unknown): string | undefined {
  return isNode(node) && node.type === 'Identifier' && typeof node['name'] === 'string' ? node['name'] : undefined;
}

/** The text of a string literal, or of a template without holes, else undefined. */
export function textOf(node: unknown): string | undefined {
  if (!isNode(node)) return undefined;
  if (node.type === 'Literal' && typeof node['value'] === 'string') return node['value'];
  if (node.type !== 'TemplateLiteral') return undefined;
  const quasis = node['quasis'] as readonly { readonly value: { readonly cooked: string } }[];
  return quasis.length === 1 ? quasis[0]?.value.cooked : undefined;
}

/** The import that names Node's module `name` with its scheme: `fs/promises` is `node:fs/promises`. */
export function withScheme(specifier: string): string {
  return builtinModules.includes(specifier) && !specifier.startsWith('node:') ? `node:${specifier}` : specifier;
}

/** An import that no reader of the code can resolve: its specifier is computed. */
export const COMPUTED = '(computed)';

function importsOf(path: string, program: TreeNode, lineOf: (offset: number) => number): Import[] {
  const imports: Import[] = [];
  walk(program, (node) => {
    const found = specifierOf(node);
    if (found === undefined) return;
    const names = /^(Import|Export\w*)Declaration$/.test(node.type) ? importedNames(node) : ['*'];
    const target = found.startsWith('.') ? posix.join(posix.dirname(path), found) : undefined;
    imports.push({ specifier: found, names, line: lineOf(node.start), ...(target === undefined ? {} : { target }) });
  });
  return imports;
}

/** What `node` imports; `new URL('./x.ts', import.meta.url)` names a worker's file and counts. */
function specifierOf(node: TreeNode): string | undefined {
  if (isNode(node['source']) && /^(Import|Export|TSImportType)/.test(node.type)) {
    return textOf(node['source']) ?? COMPUTED;
  }
  if (node.type !== 'NewExpression' || nameOf(node['callee']) !== 'URL') return undefined;
  const [path, base] = node['arguments'] as readonly TreeNode[];
  const text = textOf(path);
  const isModule =
    base?.type === 'MemberExpression' && isNode(base['object']) && base['object'].type === 'MetaProperty';
  return isModule && text !== undefined && /^\.+\/.*\.[jt]s$/.test(text) ? text : undefined;
}

function importedNames(declaration: TreeNode): string[] {
  if (declaration.type === 'ExportAllDeclaration') return ['*'];
  const specifiers = declaration['specifiers'] as readonly TreeNode[];
  return specifiers.map((specifier) => {
    if (specifier.type === 'ImportNamespaceSpecifier') return '*';
    if (specifier.type === 'ImportDefaultSpecifier') return 'default';
    const imported = specifier['imported'] ?? specifier['local'];
    return nameOf(imported) ?? textOf(imported) ?? '*';
  });
}
