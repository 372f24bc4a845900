/** Each promise is cited where it is made and proved by a test, and no citation is left without a promise. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { REQUIREMENTS } from './requirement.ts';
import type { Requirement } from './requirement.ts';
import { nameOf, parseSource, problem, readFiles, textOf, walk } from './source.ts';
import type { Files, TreeNode } from './source.ts';

const PAGES = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'docs', 'examples'];
const ID = /\bR-[a-z0-9]+(?:-[a-z0-9]+)*\b/g;

/** Where each id is mentioned: id → `path:line`. */
type Mentions = ReadonlyMap<string, readonly string[]>;

function add(mentions: Map<string, string[]>, text: string, place: string): void {
  for (const [id] of text.matchAll(ID)) mentions.set(id, [...(mentions.get(id) ?? []), place]);
}

function citations(pages: Files): Mentions {
  const found = new Map<string, string[]>();
  for (const [path, text] of pages) {
    for (const [at, line] of text.split('\n').entries()) add(found, line, `${path}:${at + 1}`);
  }
  return found;
}

/** Only the names of tests that run count: not of `test.skip`, `test.todo` or of anything but a test. */
function proofs(tests: Files): Mentions {
  const found = new Map<string, string[]>();
  for (const [path, text] of tests) {
    const { program, lineOf } = parseSource(path, text);
    walk(program, (node) => {
      if (node.type !== 'CallExpression' || !['test', 'it', 'lawTest'].includes(nameOf(node['callee']) ?? '')) return;
      const [name] = node['arguments'] as readonly TreeNode[];
      add(found, leadingText(name), `${path}:${lineOf(node.start)}`);
    });
  }
  return found;
}

/** The text of a literal, or of a template up to its first hole. */
function leadingText(node: TreeNode | undefined): string {
  const quasis = node?.['quasis'] as readonly { readonly value: { readonly raw: string } }[] | undefined;
  return textOf(node) ?? quasis?.[0]?.value.raw ?? '';
}

function gaps(requirements: readonly Requirement[], pages: Files, tests: Files): string[] {
  const cited = citations(pages);
  const proved = proofs(tests);
  const known = new Map(requirements.map((requirement) => [requirement.id as string, requirement]));
  const here = 'test/requirement.ts';
  const problems = requirements.length === known.size ? [] : [problem(here, 1, 'an id stands twice')];
  for (const { id, where } of requirements) {
    if (!proved.has(id)) problems.push(problem(here, 1, `no test is named with [${id}]`));
    for (const page of where) {
      const isCited = cited.get(id)?.some((place) => place.startsWith(`${page}:`)) === true;
      if (!isCited) problems.push(problem(page, 1, `does not cite ${id}, which test/requirement.ts says it promises`));
    }
  }
  for (const [id, places] of [...cited, ...proved]) {
    if (!known.has(id)) problems.push(...places.map((place) => `${place}: ${id} is not in ${here}`));
  }
  for (const [id, places] of cited) {
    const unlisted = places.filter((place) => known.get(id)?.where.every((page) => !place.startsWith(`${page}:`)));
    problems.push(...unlisted.map((place) => `${place}: ${id} is cited here, but its \`where\` does not say so`));
  }
  return problems;
}

test('each promise is cited where it is made and proved by a test', () => {
  const tests = readFiles(['src', 'test', 'examples'], ['.test.ts']);
  assert.ok(tests.size > 0, 'no tests were read');
  assert.deepEqual(gaps(REQUIREMENTS, readFiles(PAGES, ['.md']), tests), []);
});

test('a promise without a test, a citation without a promise and the reverse are found', () => {
  const promise: Requirement = { id: 'R-a-b', text: 'a', where: ['README.md'] };
  const page = new Map([['README.md', '# x\nIt holds. <!-- R-a-b -->\n']]);
  const proof = new Map([['src/x.test.ts', "\ntest('it holds [R-a-b]', () => {});"]]);
  assert.deepEqual(gaps([promise], page, proof), []);
  const skipped = new Map([['src/x.test.ts', "test.skip('it holds [R-a-b]', () => {}); const a = '[R-a-b]';"]]);
  assert.deepEqual(gaps([promise], page, skipped), ['test/requirement.ts:1: no test is named with [R-a-b]']);
  assert.deepEqual(gaps([promise], new Map(), proof), [
    'README.md:1: does not cite R-a-b, which test/requirement.ts says it promises',
  ]);
  assert.deepEqual(gaps([], page, proof), [
    'README.md:2: R-a-b is not in test/requirement.ts',
    'src/x.test.ts:2: R-a-b is not in test/requirement.ts',
  ]);
  const elsewhere = new Map([...page, ['docs/x.md', 'R-a-b']]);
  assert.deepEqual(gaps([promise], elsewhere, proof), [
    'docs/x.md:1: R-a-b is cited here, but its `where` does not say so',
  ]);
  assert.deepEqual(gaps([promise, promise], page, proof), ['test/requirement.ts:1: an id stands twice']);
});
