import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { JsonObject } from '../../value/json.ts';
import { compilePolicy } from '../compile.ts';
import { parseConfiguration } from '../document/configuration.ts';
import { clausesReading, judge, withClauses } from './decide.ts';
import type { Request } from './decision.ts';

const TEXT = `interlock: 1
tools:
  t.a:
    effect: write
    input:
      type: object
      properties:
        a: {type: string}
        n: {type: integer}
        list: {type: array, items: {type: string}}
        deep: {type: object, properties: {x: {type: string}, y: {type: integer}}}
rules:
  - { allow: t.a, when: 'args.n < 5 && args.a != "no"' }
  - { allow: t.a, when: '(args.a == "b" && args.n > 2) && has(args.deep.x) && args.deep.x.startsWith("q")' }
  - { allow: t.a, when: 'args.list.exists(one, one == "c") || args.deep.y == 3' }
  - { deny: t.a, when: '"a" in args && args.a.size() > 3' }
  - { deny: t.a, when: 'has(args.list) && args.list[0] == "z" && args.n != 4' }
  - { ask: t.a, when: 'args["a"] == "b" && args.n == 1' }
  - { ask: t.a, when: '!has(args.n)' }
`;

const parsed = parseConfiguration(TEXT, { file: 'interlock.yaml', environment: {} });
assert(parsed.ok);
const { policy } = compilePolicy(parsed.value, new Map());
assert(policy !== undefined);
const known = policy;

const text = fc.constantFrom('b', 'c', 'no', 'z', 'qq', 'long text');
const args = fc.record(
  {
    a: text,
    n: fc.integer({ min: 0, max: 6 }),
    list: fc.array(text, { maxLength: 2 }),
    deep: fc.record({ x: text, y: fc.integer({ min: 2, max: 4 }) }, { requiredKeys: [] }),
  },
  { requiredKeys: [] },
);
const PLACES = [['a'], ['n'], ['list'], ['list', '0'], ['deep'], ['deep', 'x'], ['deep', 'y']] as const;

function requestOf(own: JsonObject): Request {
  return {
    principal: 'p',
    tool: 't.a',
    args: own,
    call: { id: 'c', attempt: 1, key: '' },
    run: { id: 'r', depth: 0 },
    now: 0,
  };
}

/** `args` as an entry has them: a mark stands where something is hidden. */
function hiding(own: JsonObject, places: readonly (readonly string[])[]): JsonObject {
  const copy = structuredClone(own) as Record<string, unknown>;
  for (const place of places) {
    const [name = '', inner] = place;
    const outer = copy[name] as Record<string, unknown> | undefined;
    if (outer === undefined || Object.hasOwn(outer, '$sealed')) continue;
    if (inner === undefined) copy[name] = { $sealed: 'x' };
    else if (Object.hasOwn(outer, inner)) outer[inner] = { $sealed: 'x' };
  }
  return copy as JsonObject;
}

function isThere(own: JsonObject, [name = '', inner]: readonly string[]): boolean {
  const outer = own[name];
  return outer !== undefined && (inner === undefined || Object.hasOwn(outer as object, inner));
}

test('a decision is the same without what is hidden, when the clauses that read it are told [R-attested]', () => {
  let attested = 0;
  fc.assert(
    fc.property(args, fc.subarray([...PLACES]), (own, hidden) => {
      const places = hidden.filter((place) => isThere(own, place));
      const decided = judge(known, requestOf(own));
      const clauses = clausesReading(known, requestOf(own), new Map(), places);
      const taken = withClauses(known, 't.a', clauses, places);
      assert(typeof taken === 'object');
      if (clauses !== undefined) attested += 1;
      const again = judge(taken, requestOf(hiding(own, places)));
      assert.deepEqual([again.effect, again.code, again.rules], [decided.effect, decided.code, decided.rules]);
    }),
    { numRuns: 500 },
  );
  assert(attested > 100);
});

test('results that no clause gave, and those that are left out, do not fit', () => {
  const places = [['a']];
  const clauses = clausesReading(known, requestOf({ a: 'b', n: 1 }), new Map(), places) ?? {};
  assert.deepEqual(clauses['rules/0'], { 1: true });
  const misfits = [
    undefined,
    {},
    { ...clauses, 'rules/9': { 0: true } },
    { ...clauses, 'rules/0': { 0: true, 1: true } },
  ];
  for (const misfit of misfits) assert.equal(withClauses(known, 't.a', misfit, places), 'misfit');
  assert.equal(clausesReading(known, requestOf({ n: 1 }), new Map(), []), undefined);
});
