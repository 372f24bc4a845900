import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { EVENING, brief, requestOf } from '../../../test/sample-policy.ts';
import type { JsonObject, JsonValue } from '../../value/json.ts';
import { compilePolicy } from '../compile.ts';
import type { Policy } from '../compile.ts';
import { parseConfiguration } from '../document/configuration.ts';
import { judge } from '../decide/decide.ts';
import type { Request } from '../decide/decision.ts';
import { NO_FACTS } from '../meter/fact.ts';
import { checkArguments } from '../../schema/schema.ts';
import { deriveStanding } from './standing.ts';
import type { Scope, Standing } from './standing.ts';
import { defineTool } from '../tool/tool.ts';
import type { ToolDefinition } from '../tool/tool.ts';

const UNTIL = EVENING + 30 * 86_400_000;

const TYPED: JsonObject = {
  type: 'object',
  properties: {
    to: { type: 'string' },
    amount: { type: 'integer' },
    rate: { type: 'number' },
    items: { type: 'array', items: { type: 'number' } },
    when: { type: 'string', format: 'date-time' },
    deep: { type: 'object', properties: { n: { type: 'integer' } } },
    any: {},
  },
};

const TOOLS: ReadonlyMap<string, ToolDefinition> = new Map(
  (
    [
      ['pay', TYPED],
      ['free', { type: 'object' }],
      ['other', { type: 'object', properties: { to: { type: 'integer' } }, additionalProperties: false }],
    ] as const
  ).map(([name, inputSchema]) => {
    const defined = defineTool('bank', { name, inputSchema });
    assert.ok(defined.ok);
    return [defined.tool.name, defined.tool];
  }),
);

const parse = (text: string) => parseConfiguration(text, { file: 'interlock.yaml', environment: {} });

function policyOf(text: string): Policy {
  const parsed = parse(text);
  assert.ok(parsed.ok, JSON.stringify(parsed.issues));
  const { policy, issues } = compilePolicy(parsed.value, TOOLS);
  assert.ok(policy !== undefined, JSON.stringify(issues));
  return policy;
}

const file = (rules: string): string => `interlock: 1\nservers: { bank: { command: x } }\nrules:\n${rules}`;

function derive(text: string, request: Request, scope: Scope, until = UNTIL): Standing {
  return deriveStanding(policyOf(text), { text, parse }, { request, facts: NO_FACTS, scope, until });
}

/** The new text; the derivation must succeed. */
function derived(text: string, request: Request, scope: Scope): string {
  const standing = derive(text, request, scope);
  assert.ok(standing.ok, standing.ok ? '' : standing.message);
  return standing.text;
}

const ASKS = file(`  - allow: "*"
  - ask: bank.*
  - { ask: bank.pay, when: tool.effect == "irreversible" || now > timestamp("2030-01-01T00:00:00Z") }
`);

/** Short names and values, so that two calls often share some. */
const scalar: fc.Arbitrary<JsonValue> = fc.oneof(
  fc.constantFrom<JsonValue>('a', 'b', '1', 1, 1.5, -1, 0, true, false, null, 2 ** 53, 1e300, 5e-324, -0),
  fc.string({ unit: 'binary', maxLength: 6 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.maxSafeInteger(),
);
const value: fc.Arbitrary<JsonValue> = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    scalar,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'b', '__proto__', 'constructor', '"'), tie('value'), { maxKeys: 3 }),
  ) as fc.Arbitrary<JsonValue>,
})).value;
const NAMES = ['to', 'amount', 'rate', 'items', 'when', 'deep', 'any', 'extra', '__proto__', 'if', 'a"b\n'];
const args: fc.Arbitrary<JsonObject> = fc.dictionary(fc.constantFrom(...NAMES), value, { maxKeys: 5 });
const tools = fc.constantFrom('bank.pay', 'bank.free');
const text = fc.oneof(fc.constantFrom('a', 'b'), fc.string({ unit: 'binary', maxLength: 12 }));
const number = fc.double({ noNaN: true, noDefaultInfinity: true });
const times = fc.constantFrom('2026-01-01T00:00:00Z', '2026-01-01T01:00:00+01:00', '2026-01-01T00:00:00.5Z');
/** Arguments that fit the schema of `bank.pay`, most of them. */
const typed = fc.record(
  {
    to: text,
    amount: fc.oneof(fc.constantFrom(1, 2), fc.maxSafeInteger()),
    rate: fc.oneof(fc.constantFrom(1, 1.5), number),
    items: fc.array(number, { maxLength: 3 }),
    when: times,
    deep: fc.record({ n: fc.integer(), more: value }, { requiredKeys: [] }),
    any: value,
    if: value,
  },
  { requiredKeys: [] },
) as fc.Arbitrary<JsonObject>;
const given: fc.Arbitrary<readonly [string, JsonObject]> = fc
  .oneof(fc.tuple(fc.constant('bank.free'), args), fc.tuple(fc.constant('bank.pay'), typed))
  .filter(([tool, one]) => checkArguments(TOOLS.get(tool) ?? assert.fail(), one).length === 0);

/** Whether two values are the same to JSON, numbers by value. */
function same(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  const sorted = (one: JsonValue): unknown => {
    if (Array.isArray(one)) return one.map(sorted);
    if (typeof one !== 'object' || one === null) return one === 0 ? 0 : one;
    const members = Object.entries(one)
      .toSorted(([left], [right]) => (left < right ? -1 : 1))
      .map(([name, member]) => [name, sorted(member)]);
    // An empty map is no empty list.
    return { members };
  };
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

/** `request` with the arguments of `other` in some places, so that the two are close to one another. */
function near(request: JsonObject, other: JsonObject, picks: readonly boolean[]): JsonObject {
  const names = [...new Set([...Object.keys(request), ...Object.keys(other)])];
  const entries = names.flatMap((name, at): [string, JsonValue][] => {
    const from = picks[at % picks.length] === true ? request : other;
    const member = Object.hasOwn(from, name) ? from[name] : undefined;
    return member === undefined ? [] : [[name, member]];
  });
  return Object.fromEntries(entries);
}

const others = fc.record({
  tool: tools,
  other: fc.oneof(args, typed),
  picks: fc.array(fc.boolean(), { minLength: 1 }),
  who: fc.constantFrom('local', 'local', 'eve'),
});

describe('a standing rule lifts exactly what was derived, until it ends [R-standing]', () => {
  const scopes: readonly [string, (one: JsonObject) => Scope, (one: JsonObject, other: JsonObject) => boolean][] = [
    ['the call', () => ({ kind: 'call' }), (one, other) => same(one, other)],
    [
      'the recipient',
      (one) => ({ kind: 'recipient', by: Object.keys(one).slice(0, 2) }),
      (one, other) =>
        Object.keys(one)
          .slice(0, 2)
          .every((name) => Object.hasOwn(other, name) && same(one[name], other[name])),
    ],
    ['the tool', () => ({ kind: 'tool' }), () => true],
  ];
  for (const [name, scopeOf, covers] of scopes) {
    test(`by ${name}: the others are decided as before, and all of them once it has ended`, () => {
      const before = policyOf(ASKS);
      fc.assert(
        fc.property(given, fc.array(others, { minLength: 1, maxLength: 6 }), ([tool, one], tries) => {
          fc.pre(name !== 'the recipient' || Object.keys(one).length > 0);
          const request = requestOf(tool, one);
          const after = policyOf(derived(ASKS, request, scopeOf(one)));
          assert.equal(judge(after, request).effect, 'allow');
          assert.equal(brief(judge(after, { ...request, now: UNTIL })), brief(judge(before, request)));
          for (const { tool: another, other, picks, who } of tries) {
            const tried = requestOf(another, near(one, other, picks), { principal: who });
            const covered = another === tool && who === 'local' && covers(one, tried.args);
            assert.equal(judge(after, tried).effect, covered ? 'allow' : 'ask', JSON.stringify(tried.args));
            assert.equal(judge(after, { ...tried, now: UNTIL }).effect, 'ask');
          }
        }),
        { numRuns: 100 },
      );
    });
  }
});

/** Rules as they may stand in a file, with what is derived for one call of them. */
const WRITTEN: readonly (readonly [what: string, before: string, after: string])[] = [
  [
    'no condition',
    '  - ask: bank.pay # why\n    expires: 1h\n',
    "  - ask: bank.pay # why\n    when: '!(X)'\n    expires: 1h\n",
  ],
  ['no condition, at the end of the file', '  - ask: bank.pay', "  - ask: bank.pay\n    when: '!(X)'"],
  [
    'no condition, in braces',
    '  - { id: q, ask: bank.pay, expires: 1h }\n',
    "  - { id: q, ask: bank.pay, when: '!(X)', expires: 1h }\n",
  ],
  [
    'no condition, key first',
    '  -   quorum: 1\n      ask:   "bank.pay"\n',
    `  -   quorum: 1\n      ask:   "bank.pay"\n      when: '!(X)'\n`,
  ],
  [
    'plain',
    '  - ask: bank.pay\n    when:   args.amount > 1   # much\n',
    "  - ask: bank.pay\n    when:   'args.amount > 1 && !(X)'   # much\n",
  ],
  [
    'plain, over two lines',
    '  - ask: bank.pay\n    when: args.amount > 1\n      && args.amount < 9\n',
    "  - ask: bank.pay\n    when: 'args.amount > 1 && args.amount < 9 && !(X)'\n",
  ],
  [
    'alternatives',
    '  - { ask: bank.pay, when: args.amount > 1 || args.rate > 2.0 }\n',
    "  - { ask: bank.pay, when: '(args.amount > 1 || args.rate > 2.0) && !(X)' }\n",
  ],
  [
    'a choice',
    '  - ask: bank.pay\n    when: "args.amount > 1 ? true : false"\n',
    "  - ask: bank.pay\n    when: '(args.amount > 1 ? true : false) && !(X)'\n",
  ],
  [
    'quotes',
    `  - ask: bank.pay\n    when: 'args.to == ''a'' || args.to != "//"'\n`,
    `  - ask: bank.pay\n    when: '(args.to == ''a'' || args.to != "//") && !(X)'\n`,
  ],
  [
    'a block',
    '  - ask: bank.pay\n    when: | # much\n      args.amount > 1 && // or so\n      true\n\n    expires: 1h\n',
    '  - ask: bank.pay\n    when: | # much\n      args.amount > 1 && // or so\n      true\n      && !(X)\n\n    expires: 1h\n',
  ],
  [
    'a block of alternatives',
    '  - ask: bank.pay\n    when: |-\n      args.amount > 1\n      || args.amount < 0 // never',
    '  - ask: bank.pay\n    when: |-\n      (\n      args.amount > 1\n      || args.amount < 0 // never\n      ) && !(X)',
  ],
  [
    'a folded block',
    '  - ask: bank.pay\n    when: >-\n      args.amount > 1\n      && true\n',
    '  - ask: bank.pay\n    when: >-\n      args.amount > 1 && true && !(X)\n',
  ],
  [
    'a comment at the end',
    '  - ask: bank.pay\n    when: "args.amount > 1 // much"\n',
    '  - ask: bank.pay\n    when: "args.amount > 1 // much\\n&& !(Y)"\n',
  ],
  [
    'a rule for many tools',
    '  - ask: "bank.*"\n    when: now < now || true\n',
    `  - ask: "bank.*"\n    when: '(now < now || true) && !(W)'\n`,
  ],
];
const PAY = { amount: 7, to: 'a' };
const BINDS = 'principal.id == "local" && tool.name == "bank.pay" &&';
const ENDS = '&& now < timestamp("2026-12-20T18:00:00.000Z")';
const EXCEPTION = `${BINDS} args == {"amount": 7, "to": "a"} ${ENDS}`;

describe('a standing rule changes the file where the condition stands, and nothing else of it [R-standing]', () => {
  for (const [what, rules, expected] of WRITTEN) {
    for (const eol of ['\n', '\r\n']) {
      test(`${what}, ${JSON.stringify(eol)}`, () => {
        const head = '# the bank\ninterlock: 1\nservers:   { bank: { command: x } }\nrules:\n  - allow: "*"   # all\n';
        const before = `${head}${rules}`.replaceAll('\n', eol);
        const filled = expected.replace('X', EXCEPTION).replace('Y', JSON.stringify(EXCEPTION).slice(1, -1));
        const many = filled.replace('W', EXCEPTION.replace('args ==', 'dyn(args) =='));
        const after = derived(before, requestOf('bank.pay', PAY), { kind: 'call' });
        assert.equal(after, `${head}${many}`.replaceAll('\n', eol));
      });
    }
  }

  test('a second one joins the first, and every rule that asks is lifted', () => {
    const rules = '  - allow: bank.pay\n  - ask: bank.pay\n    when: args.amount > 5\n  - ask: "*"\n';
    const [one, two] = [requestOf('bank.pay', { to: 'a', amount: 6 }), requestOf('bank.pay', { to: 'b', amount: 6 })];
    const to: Scope = { kind: 'recipient', by: ['to'] };
    const both = derived(derived(file(rules), one, to), two, to);
    const lines = both.split('\n').filter((line) => line.includes('when'));
    assert.deepEqual(
      lines.map((line) => line.split('!(').length),
      [3, 3],
    );
    const policy = policyOf(both);
    for (const [recipient, effect] of [
      ['a', 'allow'],
      ['b', 'allow'],
      ['c', 'ask'],
    ]) {
      assert.equal(judge(policy, requestOf('bank.pay', { to: recipient ?? '', amount: 900 })).effect, effect);
    }
  });
});

test('a standing rule lifts no deny and allows nothing that no rule allows', () => {
  const rules =
    '  - allow: bank.pay\n    when: args.amount < 10\n  - deny: bank.pay\n    when: args.to == "thief"\n  - ask: bank.pay\n';
  const policy = policyOf(derived(file(rules), requestOf('bank.pay', PAY), { kind: 'tool' }));
  const codes = [PAY, { ...PAY, to: 'thief' }, { ...PAY, amount: 10 }].map(
    (one) => judge(policy, requestOf('bank.pay', one)).code,
  );
  assert.deepEqual(codes, ['allowed', 'denied-by-rule', 'no-rule']);
});

describe('no standing rule is derived', () => {
  const asks = file('  - allow: bank.pay\n  - ask: bank.pay\n    when: args.amount > 5\n');
  const call: Scope = { kind: 'call' };
  const shared = `${file('  - allow: bank.pay\n  - ask: bank.pay\n    when: &c args.amount > 5\n')}  - { deny: bank.free, when: *c }\n`;
  const cases: readonly (readonly [string, string, Request, Scope, RegExp])[] = [
    ['of a call that nobody asks about', asks, requestOf('bank.pay', { amount: 5 }), call, /no rule asks/u],
    ['of a call that is denied', asks, requestOf('bank.free'), call, /is denied \(no-rule\)/u],
    ['of an unknown tool', asks, requestOf('x.y'), call, /does not speak of x\.y/u],
    [
      'by an argument that is not there',
      asks,
      requestOf('bank.pay', PAY),
      { kind: 'recipient', by: ['cc'] },
      /no argument `cc`/u,
    ],
    ['by no argument', asks, requestOf('bank.pay', PAY), { kind: 'recipient', by: [] }, /must be said/u],
    [
      'of more than can be read',
      asks,
      requestOf('bank.pay', { ...PAY, any: 'x'.repeat(9_000) }),
      call,
      /more than 8192/u,
    ],
    [
      'where a preset asks too',
      `preset: strict\n${asks}`,
      requestOf('bank.pay', PAY),
      call,
      /`preset\/strict` asks too/u,
    ],
    ['where another rule shares the condition', shared, requestOf('bank.pay', PAY), call, /change it by hand/u],
    [
      'where the rule is an alias',
      file('  - allow: bank.pay\n  - &q { ask: bank.pay }\n  - *q\n'),
      requestOf('bank.pay', PAY),
      call,
      /change it by hand/u,
    ],
    [
      'by a name that every object has',
      asks,
      requestOf('bank.pay', PAY),
      { kind: 'recipient', by: ['__proto__'] },
      /no argument/u,
    ],
  ];
  for (const [what, before, request, scope, expected] of cases) {
    test(what, () => {
      const standing = derive(before, request, scope);
      assert.ok(!standing.ok);
      assert.match(standing.message, expected);
    });
  }

  test('that would already be over', () => {
    const standing = derive(asks, requestOf('bank.pay', PAY), call, EVENING);
    assert.match(standing.ok ? '' : standing.message, /longer than nothing/u);
  });
});
