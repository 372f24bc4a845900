import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CATALOG, REFUND } from '../../test/refund-program.ts';
import type { Issue } from '../value/issue.ts';
import type { Catalog } from './catalog.ts';
import { compileProgram } from './compile.ts';

function found(text: string, catalog: Catalog = CATALOG): readonly Issue[] {
  return compileProgram(text, 'p.yaml', catalog).issues;
}

/** The codes, each with the line that it stands on. */
function codes(text: string, catalog?: Catalog): readonly string[] {
  const lines = text.split('\n');
  return found(text, catalog).map(({ code, line }) => `${code}: ${lines[line - 1]?.trim() ?? ''}`);
}

/** A program of these steps, the first of which is the start. */
function program(steps: string, more = ''): string {
  const start = /^ {2}(\w+):/m.exec(steps)?.[1] ?? 'a';
  const input = 'input: { type: object, required: [n, on], properties: { n: {type: integer}, on: {type: boolean} } }';
  return `program: p\n${input}\n${more}start: ${start}\nsteps:\n${steps}`;
}

const FIND = 'tool: crm.find, args: { text: x }';
const END = '  end: { end: success }\n';

test('a program that is well has no errors', () => {
  const issues = found(REFUND);
  assert.deepEqual(
    issues.map(({ code, severity }) => [code, severity]),
    [
      ['error-unhandled', 'warning'],
      ['error-unhandled', 'warning'],
    ],
  );
});

describe('a program does not come to be [R-program-check]', () => {
  const cases: readonly (readonly [why: string, text: string, expected: readonly string[]])[] = [
    [
      'when a step leads to one that is not there',
      program(
        `  a: { ${FIND}, next: edn }\n  read: { choose: [{ when: steps.a.output.n > 1, next: end }, { next: end }] }\n${END}`,
      ),
      [`step-unknown: a: { ${FIND}, next: edn }`],
    ],
    [
      'when a step is never reached',
      program(`  a: { choose: [{ next: end }] }\n  lost: { choose: [{ next: end }] }\n${END}`),
      ['step-unreachable: lost: { choose: [{ next: end }] }'],
    ],
    [
      'when no way leads to an end',
      program(
        `  a: { choose: [{ when: input.on, next: b }, { next: end }] }\n  b: { wait: e, next: b, expired: b }\n${END}`,
        'events: { e: {} }\n',
      ),
      ['no-end: b: { wait: e, next: b, expired: b }'],
    ],
    [
      'when choices lead round in a circle',
      program(`  a: { choose: [{ when: input.on, next: b }, { next: end }] }\n  b: { choose: [{ next: a }] }\n${END}`),
      ['loop-idle: a: { choose: [{ when: input.on, next: b }, { next: end }] }'],
    ],
    [
      'when a choice leaves something over',
      program(`  a: { choose: [{ when: input.n > 1, next: end }] }\n${END}`),
      ['choose-incomplete: a: { choose: [{ when: input.n > 1, next: end }] }'],
    ],
    [
      'when a value is read that cannot be there',
      program(
        `  a: { choose: [{ when: steps.b.output.n > 1, next: end }, { next: b }] }\n  b: { ${FIND}, next: end }\n${END}`,
      ),
      ['value-never: a: { choose: [{ when: steps.b.output.n > 1, next: end }, { next: b }] }'],
    ],
    [
      'when a step reads its own output, to which it never comes back',
      program(`  a: { tool: crm.find, args: { text: "\${{ string(steps.a.output.n) }}" }, next: end }\n${END}`),
      ['value-never: a: { tool: crm.find, args: { text: "${{ string(steps.a.output.n) }}" }, next: end }'],
    ],
    [
      'when a tool is not there',
      program(`  a: { tool: crm.fnid, next: end }\n${END}`),
      ['tool-unknown: a: { tool: crm.fnid, next: end }'],
    ],
    [
      'when an argument cannot be what the tool takes',
      program('  a: { tool: crm.find, args: { text: "${{ input.n }}", more: 1 }, next: end }\n' + END),
      Array.from(
        { length: 2 },
        () => 'type-mismatch: a: { tool: crm.find, args: { text: "${{ input.n }}", more: 1 }, next: end }',
      ),
    ],
    [
      'when an argument is missing',
      program(`  a: { tool: crm.find, next: end }\n${END}`),
      ['type-mismatch: a: { tool: crm.find, next: end }'],
    ],
    [
      'when an expression does not type',
      program(`  a: { choose: [{ when: input.n == "x", next: end }, { next: end }] }\n${END}`),
      ['type-mismatch: a: { choose: [{ when: input.n == "x", next: end }, { next: end }] }'],
    ],
    [
      'when an event is not declared',
      program(`  a: { wait: news, next: end, expired: end }\n${END}`),
      ['event-unknown: a: { wait: news, next: end, expired: end }'],
    ],
    [
      'when a step is of two kinds, or of none',
      program(`  a: { tool: crm.find, wait: e, next: end }\n  b: { next: end }\n${END}`),
      ['two-kinds: a: { tool: crm.find, wait: e, next: end }', 'kind-missing: b: { next: end }'],
    ],
    [
      'when steps are read without a name',
      program(`  a: { choose: [{ when: 'size(steps) > 1', next: end }, { next: end }] }\n${END}`),
      ["steps-unnamed: a: { choose: [{ when: 'size(steps) > 1', next: end }, { next: end }] }"],
    ],
    [
      'when a step is read that is not there, even where it is asked for',
      program(
        `  a: { ${FIND}, next: b }\n  b: { choose: [{ when: steps.aa.output.n > 1, next: c }, { next: c }] }\n  c: { choose: [{ when: 'steps.?lost.hasValue()', next: end }, { next: end }] }\n${END}`,
      ),
      [
        'step-unknown: b: { choose: [{ when: steps.aa.output.n > 1, next: c }, { next: c }] }',
        "step-unknown: c: { choose: [{ when: 'steps.?lost.hasValue()', next: end }, { next: end }] }",
      ],
    ],
    [
      'when a step is read that leaves nothing',
      program(
        `  a: { ${FIND}, next: b }\n  b: { choose: [{ when: has(steps.b), next: c }, { next: c }] }\n  c: { end: success, output: "\${{ steps.c.output }}" }\n`,
      ),
      [
        'value-never: b: { choose: [{ when: has(steps.b), next: c }, { next: c }] }',
        'value-never: c: { end: success, output: "${{ steps.c.output }}" }',
      ],
    ],
    [
      'when a step is called as what undoes one',
      program('  undo: { end: success }\n'),
      ['id-malformed: undo: { end: success }'],
    ],
    [
      'when an end has a name that runs have by themselves',
      program('  a: { end: stalled }\n'),
      ['status-malformed: a: { end: stalled }'],
    ],
    [
      'when an expression does not end',
      program('  a: { tool: crm.find, args: { text: "${{ input.n" }, next: end }\n' + END),
      ['expression-open: a: { tool: crm.find, args: { text: "${{ input.n" }, next: end }'],
    ],
  ];
  for (const [why, text, expected] of cases) {
    test(why, () => {
      const errors = found(text).filter(({ severity }) => severity === 'error');
      const lines = text.split('\n');
      assert.deepEqual(
        errors.map(({ code, line }) => `${code}: ${lines[line - 1]?.trim() ?? ''}`),
        expected,
      );
      assert.equal(compileProgram(text, 'p.yaml', CATALOG).ok, false);
    });
  }

  test('when the policy denies a tool whatever its arguments', () => {
    const catalog: Catalog = { ...CATALOG, denied: (name) => (name === 'crm.find' ? 'no rule allows it' : undefined) };
    const all = codes(program(`  a: { ${FIND}, next: end }\n${END}`), catalog);
    assert.ok(all.includes(`tool-denied: a: { ${FIND}, next: end }`), all.join());
  });
});

test('who reads a step that is not there is told which one was meant, or which there are', () => {
  const hints = (read: string): readonly (string | undefined)[] =>
    found(
      program(`  find: { ${FIND}, next: a }\n  a: { choose: [{ when: ${read}, next: end }, { next: end }] }\n${END}`),
    ).map(({ hint }) => hint);
  assert.deepEqual(hints('steps.fnid.output.n > 1'), ['did you mean `steps.find`?']);
  assert.deepEqual(hints('steps.zzzzzz.output.n > 1'), ['steps that leave an output: `find`']);
  assert.deepEqual(hints('steps.end.output.n > 1'), ['steps that leave an output: `find`']);
});

describe('a program is warned about', () => {
  test('a value that is there on some ways only, unless it asks', () => {
    const steps = (when: string): string =>
      `  a: { choose: [{ when: input.on, next: b }, { next: c }] }\n  b: { ${FIND}, next: c }\n  c: { choose: [{ when: '${when}', next: end }, { next: end }] }\n${END}`;
    assert.deepEqual(codes(program(steps('steps.b.output.n > 1'))), [
      "value-optional: c: { choose: [{ when: 'steps.b.output.n > 1', next: end }, { next: end }] }",
    ]);
    assert.deepEqual(codes(program(steps('has(steps.b) && steps.b.output.n > 1'))), []);
  });

  test('a step that reads what it left at its last visit, unless it asks', () => {
    const steps = (text: string): string =>
      `  a: { tool: crm.find, args: { text: "\${{ ${text} }}" }, next: b }\n  b: { choose: [{ when: steps.a.output.n > 1, next: a }, { next: end }] }\n${END}`;
    assert.match(codes(program(steps('string(steps.a.output.n)'))).join(), /^value-optional/);
    assert.deepEqual(codes(program(steps("has(steps.a) ? string(steps.a.output.n) : ''"))), []);
  });

  test('what is left on the way of an error is not there', () => {
    const text = program(
      `  a: { ${FIND}, next: c, on_error: c }\n  c: { choose: [{ when: 'steps.a.output.n > 1', next: end }, { next: end }] }\n${END}`,
    );
    assert.match(codes(text).join(), /^value-optional/);
  });

  test('an output that nobody reads, and an event that nobody waits for', () => {
    const text = program(`  a: { ${FIND}, next: end }\n${END}`, 'events: { e: {} }\n');
    assert.deepEqual(
      found(text).map(({ code }) => code),
      ['event-unused', 'output-unused'],
    );
  });
});

describe('a choice without a last way is complete', () => {
  for (const [how, branches] of [
    [
      'over the words of a model',
      `[{ when: 'steps.m.output == "yes"', next: end }, { when: 'steps.m.output in ["no"]', next: end }]`,
    ],
    ['over both truths', '[{ when: input.on, next: end }, { when: "!input.on", next: end }]'],
  ] as const) {
    test(how, () => {
      const model = '  m: { llm: one, prompt: "?", outputs: ["yes", "no"], next: a }\n';
      assert.deepEqual(
        found(program(`${model}  a: { choose: ${branches} }\n${END}`)).filter(({ severity }) => severity === 'error'),
        [],
      );
      const fewer = branches.replace(/, \{.*/, ']');
      assert.match(codes(program(`${model}  a: { choose: ${fewer} }\n${END}`)).join(), /choose-incomplete/);
    });
  }
});

test('ten thousand steps and a condition of five thousand terms are checked in seconds [R-program-size]', () => {
  const count = 10_000;
  const steps = Array.from({ length: count }, (_, index) => {
    const next = index + 1 < count ? `s${index + 1}` : 'choose';
    return `  s${index}: { tool: crm.find, args: { text: "\${{ string(input.n) }}" }, next: ${next}, on_error: end }\n`;
  }).join('');
  const terms = Array.from({ length: 5_000 }, (_, index) => `input.n != ${index}`).join(' && ');
  const text = program(`${steps}  choose: { choose: [{ when: '${terms}', next: end }, { next: end }] }\n${END}`);
  const start = performance.now();
  const compiled = compileProgram(text, 'p.yaml', CATALOG);
  assert.ok(compiled.ok, JSON.stringify(compiled.issues.slice(0, 3)));
  assert.equal(compiled.value.steps.size, count + 2);
  assert.ok(performance.now() - start < 60_000, 'bounded even on a busy machine');
});
