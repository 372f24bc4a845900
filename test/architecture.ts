/** The laws of the code's structure, each a function from sources to the places that break it. */

import {
  ENTRY_FLOOR,
  FLOORS,
  HOMES,
  IMPURE_NAMES,
  MEMBERS,
  NARROW,
  PURE_EXCEPTIONS,
  PURE_FLOOR,
  RANDOM_NAMES,
  floorOf,
  importable,
} from './floors.ts';
import { COMPUTED, nameOf, problem, walk, withScheme } from './source.ts';
import type { Import, Source, TreeNode } from './source.ts';

/** A law: the problems it finds, each `path:line: message`. */
export type Law = (sources: readonly Source[]) => string[];

/** Each folder of `src` imports only what its row of the table names; a test may import from outside `src` too. */
export const importsKeepToFloors: Law = (sources) =>
  sources.flatMap((source) => {
    const folder = folderOf(source.path);
    if (folder !== undefined && floorOf(folder) === undefined) {
      return [problem(source.path, source.lineOf(source.program.start), `no floor has the folder \`${folder}\``)];
    }
    return source.imports.flatMap((entry) => {
      const fault = floorFault(folder, entry, source.path.endsWith('.test.ts'));
      return fault === undefined ? [] : [problem(source.path, entry.line, fault)];
    });
  });

function floorFault(folder: string | undefined, { specifier, target }: Import, isTest: boolean): string | undefined {
  if (specifier === COMPUTED)
    return isTest ? undefined : 'the specifier of an import must be a literal, so that it can be checked';
  if (withScheme(specifier) !== specifier) return `\`${specifier}\` is a module of Node: write \`node:${specifier}\``;
  if (target === undefined) return undefined;
  if (!target.startsWith('src/')) return isTest ? undefined : `\`${specifier}\` leaves src`;
  const into = folderOf(target);
  if (into === undefined) return `\`${specifier}\` is an entry point: nothing in src imports it`;
  if (folder === undefined || into === folder || importable(folder).has(into)) return undefined;
  const may = [...importable(folder)].join(', ');
  return `\`${folder}\` (floor ${floorOf(folder)}) imports \`${into}\`; it may import ${may === '' ? 'no folder' : may}`;
}

/** A part of a folder that is narrower than its row keeps to its own bounds. */
export const narrowPartsKeepToBounds: Law = (sources) =>
  NARROW.flatMap(({ folder, mayNot, why }) =>
    sources
      .filter(({ path }) => isUnder(path, folder))
      .flatMap(({ path, imports }) =>
        imports.flatMap(({ target, line }) => {
          const broken = mayNot.find((bound) => target !== undefined && isUnder(target, bound));
          return broken === undefined ? [] : [problem(path, line, `imports \`${broken}\`, but ${why}`)];
        }),
      ),
  );

/** No file imports itself by way of others, types included. */
export const importsHaveNoCycle: Law = (sources) => {
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const done = new Set<string>();
  const problems: string[] = [];
  const visit = (source: Source, trail: readonly string[]): void => {
    if (done.has(source.path)) return;
    for (const { target, line } of source.imports) {
      const next = target === undefined ? undefined : byPath.get(target);
      if (next === undefined) continue;
      const path = [...trail, source.path];
      const start = path.indexOf(next.path);
      if (start === -1) visit(next, path);
      else problems.push(problem(source.path, line, `a cycle: ${[...path.slice(start), next.path].join(' → ')}`));
    }
    done.add(source.path);
  };
  for (const source of sources) visit(source, []);
  return problems;
};

/** Every power of the platform is used only in its homes. */
export const powersStayHome: Law = (sources) =>
  sources.flatMap((source) => {
    const problems = source.imports.flatMap((entry) => powerOfImport(source.path, entry));
    eachReference(source.program, (node, name, parent) => {
      const home = HOMES.find(({ names }) => names.includes(name));
      if (home !== undefined && !isAtHome(source.path, home.power)) {
        problems.push(problem(source.path, source.lineOf(node.start), outOfHome(name, home.power)));
      }
      const road = roadOf(node, name, parent);
      if (road !== undefined && !isAtHome(source.path, road.power)) {
        problems.push(problem(source.path, source.lineOf(node.start), outOfHome(road.text, road.power)));
      }
    });
    return problems;
  });

function powerOfImport(path: string, { specifier, names, line }: Import): string[] {
  const whole = withScheme(specifier);
  const homes = HOMES.filter(({ imports }) => imports.some((name) => whole === name || whole.startsWith(`${name}/`)));
  const problems = homes
    .filter(({ power }) => !isAtHome(path, power))
    .map(({ power }) => problem(path, line, outOfHome(specifier, power)));
  const random = whole === 'node:crypto' ? names.filter((name) => RANDOM_NAMES.test(name)) : [];
  if (isAtHome(path, 'randomness')) return problems;
  return [...problems, ...random.map((name) => problem(path, line, outOfHome(`${specifier} ${name}`, 'randomness')))];
}

/** `Date.now`, `new Date()`, `Date` handed on, `Math.random`, `f.constructor(…)`: powers that are not plain names. */
function roadOf(
  node: TreeNode,
  name: string,
  parent: TreeNode | undefined,
): { text: string; power: string } | undefined {
  if (parent === undefined || parent.type.startsWith('TS')) return undefined;
  const member = parent.type === 'MemberExpression' && parent['object'] === node ? parent : undefined;
  const property = member === undefined ? undefined : nameOf(member['property']);
  const computed = member?.['computed'] === true;
  const power = MEMBERS.get(`${name}.${property ?? ''}`);
  if (power !== undefined && !computed) return { text: `${name}.${property ?? ''}`, power };
  if (name === 'Math' && (member === undefined || computed)) return { text: 'Math', power: 'randomness' };
  if (name !== 'Date') return undefined;
  if (member !== undefined && !computed) return undefined;
  if (parent.type === 'BinaryExpression' && parent['operator'] === 'instanceof') return undefined;
  const made = parent.type === 'NewExpression' && parent['callee'] === node;
  if (made && (parent['arguments'] as readonly unknown[]).length > 0) return undefined;
  return { text: made ? 'new Date()' : 'Date', power: 'the clock' };
}

function outOfHome(what: string, power: string): string {
  const homes = HOMES.find((home) => home.power === power)?.homes ?? [];
  return `\`${what}\` is ${power}, which is ${homes.length === 0 ? 'used nowhere' : `used only in ${homes.join(', ')}`}`;
}

function isAtHome(path: string, power: string): boolean {
  return HOMES.find((home) => home.power === power)?.homes.some((home) => isUnder(path, home)) === true;
}

/** Pure floors import no platform, name none of it, and never await. */
export const pureFloorsStayPure: Law = (sources) =>
  sources.filter(({ path }) => isPure(path)).flatMap((source) => [...impureImports(source), ...impureNodes(source)]);

function impureImports({ path, imports }: Source): string[] {
  return imports.flatMap(({ specifier, line }) => {
    const whole = withScheme(specifier);
    if (!whole.startsWith('node:') || PURE_EXCEPTIONS.get(path) === whole) return [];
    return [problem(path, line, `\`${specifier}\` on a pure floor: floors 0–${PURE_FLOOR} import no platform`)];
  });
}

function impureNodes({ path, program, lineOf }: Source): string[] {
  const problems: string[] = [];
  const report = (node: TreeNode, what: string): void => {
    problems.push(problem(path, lineOf(node.start), `${what} on a pure floor`));
  };
  walk(program, (node) => {
    if (node['async'] === true) report(node, 'an async function');
    if (node.type === 'AwaitExpression' || node['await'] === true) report(node, '`await`');
  });
  eachReference(program, (node, name) => {
    if (IMPURE_NAMES.has(name)) report(node, `\`${name}\``);
  });
  return problems;
}

/** `f.constructor('…')` builds a function from text as `Function` does. */
export const constructorsAreNotCalled: Law = (sources) =>
  sources.flatMap(({ path, program, lineOf }) => {
    const problems: string[] = [];
    walk(program, (node) => {
      const callee = node.type === 'CallExpression' ? (node['callee'] as TreeNode) : undefined;
      if (callee?.type === 'MemberExpression' && nameOf(callee['property']) === 'constructor') {
        problems.push(problem(path, lineOf(node.start), 'a call of `.constructor(…)` can generate code'));
      }
    });
    return problems;
  });

/** Visits every identifier that refers to or declares a name; keys of members and properties are not names. */
function eachReference(
  program: TreeNode,
  visit: (node: TreeNode, name: string, parent: TreeNode | undefined) => void,
): void {
  walk(program, (node, parent, field) => {
    const name = nameOf(node);
    if (name === undefined) return;
    const isKey = (field === 'key' || field === 'property') && parent?.['computed'] !== true;
    const isOuterName = field === 'imported' || (field === 'exported' && parent?.['local'] !== node);
    const isSecond = field === 'right' && parent?.type === 'TSQualifiedName';
    const isLabel = field === 'label' || (field === 'meta' && parent?.type === 'MetaProperty');
    if (!isKey && !isOuterName && !isSecond && !isLabel) visit(node, name, parent);
  });
}

/** The folder of `src` a path is in, or undefined for a file directly under `src`. */
export function folderOf(path: string): string | undefined {
  const parts = path.split('/');
  return parts.length > 2 ? parts[1] : undefined;
}

function isUnder(path: string, home: string): boolean {
  return path === `src/${home}` || path.startsWith(`src/${home}/`);
}

function isPure(path: string): boolean {
  const folder = folderOf(path);
  return (folder === undefined ? ENTRY_FLOOR : (floorOf(folder) ?? ENTRY_FLOOR)) <= PURE_FLOOR;
}

/** The table itself: no row may import a higher floor, a same floor's folder, or a folder that no row has. */
export function tableFaults(): string[] {
  return FLOORS.flatMap(({ floor, folders }) =>
    folders.flatMap((folder) =>
      [...importable(folder)].flatMap((name) => {
        const other = floorOf(name);
        if (other === undefined) return [`${folder} may import ${name}, which no row has`];
        return other > floor ? [`${folder} (floor ${floor}) may import ${name} (floor ${other})`] : [];
      }),
    ),
  );
}
