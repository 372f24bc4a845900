import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Issue } from '../value/issue.ts';
import type { JsonObject, JsonValue } from '../value/json.ts';
import { compilePolicy } from './compile.ts';
import type { Policy } from './compile.ts';
import { parseConfiguration } from './document/configuration.ts';
import { couldAllow, decide, explain, judge } from './decide/decide.ts';
import type { Decision, Effect, Request } from './decide/decision.ts';
import { defineTool } from './tool/tool.ts';
import type { ToolDefinition } from './tool/tool.ts';

const SCHEMA: JsonObject = {
  type: 'object',
  required: ['n', 's'],
  properties: {
    n: { type: 'integer' },
    s: { type: 'string' },
    o: { type: 'integer' },
    l: { type: 'array', items: { type: 'integer' } },
    d: {},
  },
};

const TOOLS: ReadonlyMap<string, ToolDefinition> = new Map(
  ['a', 'b'].map((name) => {
    const defined = defineTool('t', { name, inputSchema: SCHEMA });
    assert.ok(defined.ok);
    return [defined.tool.name, defined.tool];
  }),
);

/** Never true and never false. */
const ERRS = 'args.n / 0 == 1';

interface RuleText {
  readonly id: string;
  readonly effect: Effect;
  readonly pattern: string;
  readonly when: Tree | undefined;
}

/** A condition as a tree, so that one leaf can be replaced. */
type Tree = string | { readonly op: '&&' | '||' | '!'; readonly parts: readonly Tree[] };

function source(tree: Tree): string {
  if (typeof tree === 'string') return `(${tree})`;
  if (tree.op === '!') return `!(${tree.parts.map(source).join('')})`;
  return `(${tree.parts.map(source).join(` ${tree.op} `)})`;
}

/** The condition with `&&` at the top left bare, so that it has clauses. */
function written(tree: Tree): string {
  return typeof tree !== 'string' && tree.op === '&&' ? tree.parts.map(source).join(' && ') : source(tree);
}

function leaves(tree: Tree): number {
  return typeof tree === 'string' ? 1 : tree.parts.reduce((sum, part) => sum + leaves(part), 0);
}

function replaceLeaf(tree: Tree, at: number, by: string): Tree {
  if (typeof tree === 'string') return at === 0 ? by : tree;
  let before = 0;
  const parts = tree.parts.map((part) => {
    const replaced = replaceLeaf(part, at - before, by);
    before += leaves(part);
    return replaced;
  });
  return { op: tree.op, parts };
}

const LEAVES = [
  'args.n > 0',
  'args.n == 3',
  'args.s == "x"',
  'args.s.startsWith("y")',
  'args.n / (args.n - 1) > 0',
  'args.l[0] == 1',
  'args.o < 2',
  'args.d.x == 1',
  'principal.id == "ann"',
  '"r" in principal.roles',
  'principal.roles[0] == "r"',
  'tool.effect == "read"',
  'run.depth < 2',
  'true',
  'false',
  ERRS,
] as const;
/** Those that test no presence, for the law on missing arguments. */
const WITHOUT_PRESENCE = [
  ...LEAVES,
  'args.l.size() > 1',
  'args.l.exists(i, i == 1)',
  'args.l.all(i, i < 2)',
  '1 in args.l',
  'args.o in [1, 2]',
  'args.o != args.n',
] as const;
const PRESENCE = [
  'has(args.o)',
  'has(args.d.x)',
  '"l" in args',
  'size(args) > 3',
  'args.?o.orValue(1) == 1',
  'args == {"n": 1, "s": "x"}',
  '"x" in args.d',
  'args.exists(k, k == "o")',
] as const;

const treeOf = (leaf: fc.Arbitrary<string>): fc.Arbitrary<Tree> =>
  fc.letrec<{ tree: Tree }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 3, depthSize: 'small' },
      leaf,
      fc.record({
        op: fc.constantFrom('&&' as const, '||' as const),
        parts: fc.array(tie('tree'), { minLength: 2, maxLength: 3 }),
      }),
      fc.record({ op: fc.constant('!' as const), parts: fc.tuple(tie('tree')) }),
    ),
  })).tree;

function rulesOf(leaf: fc.Arbitrary<string>): fc.Arbitrary<readonly RuleText[]> {
  const rule = fc.record({
    effect: fc.constantFrom<Effect>('allow', 'allow', 'ask', 'deny'),
    pattern: fc.constantFrom('t.a', 't.*', '*', 't.b', '*.a'),
    when: fc.option(treeOf(leaf), { nil: undefined }),
  });
  return fc.array(rule, { maxLength: 6 }).map((rules) => rules.map((each, index) => ({ id: `r${index}`, ...each })));
}

const RULES = rulesOf(fc.constantFrom(...LEAVES));

const ARGS: fc.Arbitrary<JsonObject> = fc
  .record(
    {
      n: fc.integer({ min: -1, max: 4 }),
      s: fc.constantFrom('x', 'y', 'yz', ''),
      o: fc.integer({ min: 0, max: 3 }),
      l: fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 2 }),
      d: fc.constantFrom<JsonValue>(null, 1, 'x', { x: 1 }, { x: 2 }, { x: '1' }, [1]),
    },
    { requiredKeys: ['n', 's'] },
  )
  .map((args) => ({ ...args }));

const REQUEST: fc.Arbitrary<Request> = fc.record({
  principal: fc.constantFrom('local', 'ann', 'bob'),
  tool: fc.constantFrom('t.a', 't.b'),
  args: ARGS,
  call: fc.constant({ id: 'c', attempt: 1, key: '' }),
  run: fc.record({ id: fc.constant('r'), depth: fc.integer({ min: 0, max: 3 }) }),
  now: fc.constant(0),
});

function policyOf(rules: readonly RuleText[]): Policy {
  return compiled(rules).policy;
}

function compiled(rules: readonly RuleText[]): { readonly policy: Policy; readonly issues: readonly Issue[] } {
  const data = {
    interlock: 1,
    servers: { t: { command: 'x' } },
    tools: { 't.b': { effect: 'read' } },
    principals: { ann: { roles: ['r'] }, bob: {} },
    rules: rules.map(({ id, effect, pattern, when }) => ({
      id,
      [effect]: pattern,
      ...(when === undefined ? {} : { when: written(when) }),
    })),
  };
  const parsed = parseConfiguration(JSON.stringify(data), { file: 'f', environment: {} });
  assert.ok(parsed.ok, JSON.stringify(parsed.issues));
  const { policy, issues } = compilePolicy(parsed.value, TOOLS, { complete: new Set(['t']) });
  assert.ok(policy !== undefined, JSON.stringify(issues));
  return { policy, issues };
}

const WIDTH: Readonly<Record<Effect, number>> = { deny: 0, ask: 1, allow: 2 };

function assertNotWider(after: Decision, before: Decision): void {
  assert.ok(
    WIDTH[after.effect] <= WIDTH[before.effect],
    `${before.effect} (${before.code}) became ${after.effect} (${after.code})`,
  );
}

test('the order of rules never matters', () => {
  const shuffled = RULES.chain((rules) =>
    fc.tuple(fc.constant(rules), fc.shuffledSubarray([...rules], { minLength: rules.length })),
  );
  fc.assert(
    fc.property(shuffled, REQUEST, ([rules, others], request) => {
      const one = decide(policyOf(rules), request);
      const other = decide(policyOf(others), request);
      assert.deepEqual(
        [other.effect, other.code, other.rules.toSorted()],
        [one.effect, one.code, one.rules.toSorted()],
      );
    }),
    { numRuns: 300 },
  );
});

test('another deny or ask never widens, another allow never narrows', () => {
  fc.assert(
    fc.property(RULES, RULES, REQUEST, (rules, added, request) => {
      const before = decide(policyOf(rules), request);
      const restricting = added
        .filter(({ effect }) => effect !== 'allow')
        .map((rule) => ({ ...rule, id: `x${rule.id}` }));
      assertNotWider(decide(policyOf([...rules, ...restricting]), request), before);
      const allowing = added.filter(({ effect }) => effect === 'allow').map((rule) => ({ ...rule, id: `x${rule.id}` }));
      assertNotWider(before, decide(policyOf([...rules, ...allowing]), request));
    }),
    { numRuns: 300 },
  );
});

test('an error in any part of any condition never widens', () => {
  fc.assert(
    fc.property(RULES, REQUEST, fc.nat(), fc.nat(), (rules, request, whichRule, whichLeaf) => {
      const conditional = rules.filter((rule) => rule.when !== undefined);
      const chosen = conditional[whichRule % Math.max(1, conditional.length)];
      fc.pre(chosen?.when !== undefined);
      const { when } = chosen;
      const broken = { ...chosen, when: replaceLeaf(when, whichLeaf % leaves(when), ERRS) };
      const after = decide(policyOf(rules.map((rule) => (rule === chosen ? broken : rule))), request);
      assertNotWider(after, decide(policyOf(rules), request));
    }),
    { numRuns: 300 },
  );
});

test('a missing argument is never decided wider than any value in its place', () => {
  fc.assert(
    fc.property(
      rulesOf(fc.constantFrom(...WITHOUT_PRESENCE)),
      REQUEST,
      fc.constantFrom('o', 'l', 'd'),
      ARGS,
      (rules, request, name, values) => {
        const policy = policyOf(rules);
        const { [name]: _, ...without } = request.args;
        const value = values[name];
        fc.pre(value !== undefined);
        const missing = decide(policy, { ...request, args: without });
        assertNotWider(missing, decide(policy, { ...request, args: { ...without, [name]: value } }));
      },
    ),
    { numRuns: 300 },
  );
});

test('where no presence test is warned of, nothing that is left out widens', () => {
  const tally = { warned: 0, sound: 0, widened: 0 };
  const rules = rulesOf(fc.constantFrom(...WITHOUT_PRESENCE, ...PRESENCE, ...PRESENCE));
  fc.assert(
    fc.property(rules, REQUEST, fc.constantFrom('o', 'l', 'd'), ARGS, (written, request, name, values) => {
      const { policy, issues } = compiled(written);
      const { [name]: _, ...without } = request.args;
      const value = values[name];
      fc.pre(value !== undefined);
      const missing = decide(policy, { ...request, args: without });
      const present = decide(policy, { ...request, args: { ...without, [name]: value } });
      const warned = issues.some(({ code }) => code.startsWith('presence-in-'));
      tally[warned ? 'warned' : 'sound'] += 1;
      if (warned && WIDTH[missing.effect] > WIDTH[present.effect]) tally.widened += 1;
      if (!warned) assertNotWider(missing, present);
    }),
    { numRuns: 1_500 },
  );
  assert.ok(tally.warned > 100 && tally.sound > 100 && tally.widened > 0, `each was tried: ${JSON.stringify(tally)}`);
});

test('what nobody declared is denied: tools, principals, and whatever has their names', () => {
  const name = fc.oneof(
    fc.string(),
    fc.constantFrom('__proto__', 'constructor', 't.', '.a', 't', 't.a ', 'T.a', 't.toString'),
  );
  fc.assert(
    fc.property(RULES, REQUEST, name, (rules, request, unknown) => {
      const policy = policyOf([...rules, { id: 'all', effect: 'allow', pattern: '*', when: undefined }]);
      if (!policy.tools.has(unknown)) assert.equal(decide(policy, { ...request, tool: unknown }).effect, 'deny');
      if (!['local', 'ann', 'bob'].includes(unknown)) {
        assert.equal(decide(policy, { ...request, principal: unknown }).code, 'unknown-principal');
      }
    }),
    { numRuns: 300 },
  );
});

test('a tool that is not visible is never allowed nor asked about, whatever the arguments', () => {
  let hidden = 0;
  fc.assert(
    fc.property(RULES, REQUEST, (rules, request) => {
      const policy = policyOf(rules);
      if (couldAllow(policy, request.principal, request.tool)) return;
      hidden += 1;
      assert.equal(judge(policy, request).effect, 'deny');
    }),
    { numRuns: 300 },
  );
  assert.ok(hidden > 50, 'the law was tried');
});

test('any arguments at all have a decision, and the same one each time', () => {
  const anything = fc.dictionary(
    fc.constantFrom('n', 's', 'o', 'l', 'd', '__proto__', 'x'),
    fc.jsonValue() as fc.Arbitrary<JsonValue>,
  );
  fc.assert(
    fc.property(RULES, REQUEST, anything, (rules, request, args) => {
      const policy = policyOf(rules);
      const each = { ...request, args };
      const decision = decide(policy, each);
      assert.deepEqual(decide(policy, each), decision);
      assert.doesNotMatch(decision.explanation, /\n/u);
    }),
    { numRuns: 300 },
  );
});

test('the results of the rules explain the decision', () => {
  fc.assert(
    fc.property(RULES, REQUEST, (rules, request) => {
      const { decision, rules: results } = explain(policyOf(rules), request);
      const matched = (effect: Effect): readonly string[] =>
        results.filter((result) => result.effect === effect && result.matched).map((result) => result.rule);
      const [allow, ask, deny] = [matched('allow'), matched('ask'), matched('deny')];
      const effect = deny.length > 0 || allow.length === 0 ? 'deny' : ask.length > 0 ? 'ask' : 'allow';
      assert.equal(decision.effect, effect);
      assert.deepEqual(decision.rules, { allow, ask, deny }[effect]);
    }),
    { numRuns: 300 },
  );
});
