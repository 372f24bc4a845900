import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CATALOG, REFUND, programOf } from '../../../test/refund-program.ts';
import type { Catalog } from '../catalog.ts';
import type { Program } from '../program.ts';
import { pathLines } from './path.ts';
import { type PropertyProof, proveProgram, unprovedOf } from './prove.ts';

const INPUT = `input:
  type: object
  required: [n, on, kind, size]
  properties:
    n: { type: integer }
    on: { type: boolean }
    kind: { enum: [refund, query] }
    size: { type: integer, minimum: 1, maximum: 10 }
    note: { type: string }
`;
const NOTE = 'tool: crm.note, args: { text: x }';
const PAY = 'tool: payments.create_refund, args: { charge: x, amount: 1 }';
const UNDONE = `${PAY}, undo: { tool: payments.cancel_refund, args: { id: x } }`;
const ENDS = { end: '  end: { end: success }\n', bad: '  bad: { end: rejected }\n' };

/** A program of these steps, the first of which is the start, and these properties. */
function program(steps: string, properties: readonly string[], catalog: Catalog = CATALOG): Program {
  const start = /^ {2}(\w+):/m.exec(steps)?.[1] ?? 'a';
  const ends = Object.entries(ENDS).flatMap(([id, step]) => (new RegExp(`: ${id}\\b`).test(steps) ? [step] : []));
  const list = properties.map((one) => `  - ${JSON.stringify(one)}\n`).join('');
  const events = 'events: { news: { type: object } }\n';
  return programOf(
    `program: p\n${INPUT}${events}start: ${start}\nsteps:\n${steps}${ends.join('')}properties:\n${list}`,
    catalog,
  );
}

/** The proof of one property of these steps. */
function proof(steps: string, property: string, catalog?: Catalog): PropertyProof {
  return proveProgram(program(steps, [property], catalog))[0] ?? assert.fail();
}

function pathOf(found: PropertyProof): readonly string[] {
  return found.proved ? ['proved'] : (found.counterexample ?? []).map(({ step, what }) => `${step}: ${what}`);
}

test('the refund program keeps its promises [R-prove]', () => {
  const sentences = [
    'pay only after check',
    'pay with input.amount > 5000 only after approve',
    'at most 1 payments.create_refund',
    'payments.cancel_refund only after payments.create_refund',
    'end success only after notify',
    'never crm.find',
  ];
  const made = programOf(`${REFUND}properties:\n${sentences.map((one) => `  - ${one}\n`).join('')}`);
  assert.deepEqual(unprovedOf(made), []);
  assert.equal(unprovedOf(made), unprovedOf(made), 'looked for once');
  const other = programOf(`${REFUND}properties: [at most 1 pay, never pay]\n`);
  assert.deepEqual(unprovedOf(other), ['never pay']);
});

test('a person who says no, or nothing, has not approved', () => {
  const steps = (no: string): string =>
    `  a: { ask: x, yes: b, no: ${no}, expired: bad }\n  b: { ${NOTE}, next: end }\n`;
  assert.equal(proof(steps('bad'), 'b only after a').proved, true);
  assert.deepEqual(pathOf(proof(steps('b'), 'b only after a')), ['a: asks x', 'a: no', 'b: calls crm.note']);
});

describe('what is not written down is on the way too', () => {
  test('an error that leads past a step', () => {
    const steps = `  a: { ${NOTE}, next: b, on_error: b }\n  b: { ${PAY}, next: end }\n`;
    assert.deepEqual(pathOf(proof(steps, 'b only after a')), [
      'a: calls crm.note',
      'a: fails',
      'b: calls payments.create_refund',
    ]);
  });

  test('a cancellation, and what is undone then, the last first', () => {
    const steps = `  a: { ${UNDONE}, next: b }\n  b: { ${NOTE}, undo: { tool: crm.find, args: { text: x } }, next: end }\n`;
    assert.deepEqual(pathOf(proof(steps, 'never crm.find then payments.cancel_refund')), [
      'a: calls payments.create_refund',
      'a: done',
      'b: calls crm.note',
      'b: is cancelled',
      'b: done',
      'undo b: calls crm.find',
      'undo a: calls payments.cancel_refund',
    ]);
    assert.equal(proof(steps, 'never payments.cancel_refund then crm.find').proved, true);
  });

  test('a cancellation of who waits for a person, or for branches', () => {
    const ask = `  a: { ${UNDONE}, next: b }\n  b: { ask: x, yes: end, no: end, expired: end }\n`;
    const path = pathOf(proof(ask, 'never b then payments.cancel_refund'));
    assert.deepEqual(path.slice(2), ['b: asks x', 'b: is cancelled', 'undo a: calls payments.cancel_refund']);
    const wide = `  a: { ${UNDONE}, next: b }\n  b: { parallel: { one: { ${NOTE} } }, next: end, on_error: end }\n`;
    assert.equal(proof(wide, 'never b then payments.cancel_refund').proved, false);
  });

  test('an event that does not come, and an answer that is none', () => {
    const wait = `  a: { wait: news, next: b, expired: b }\n  b: { ${NOTE}, next: end }\n`;
    assert.deepEqual(pathOf(proof(wait, 'b only after a')).slice(1, 2), ['a: expired']);
    const model = `  a: { llm: m, prompt: x, outputs: [y], mismatch: { retry: 1, then: b }, next: end }\n  b: { ${NOTE}, next: end }\n`;
    assert.equal(proof(model, 'never b').proved, false);
    assert.equal(proof(model, 'at most 2 llm.m').proved, true);
    assert.equal(proof(model, 'at most 1 a').proved, false, 'it is asked twice');
    assert.equal(proof(model, 'b only after llm.m').proved, false);
    assert.equal(proof(model, 'never a then llm.m').proved, false, 'the model is asked again');
    assert.equal(proof(model, 'never llm.m then a').proved, true, 'the step has begun before');
  });

  test('a limit that ends a run between a choice and its end', () => {
    const steps = `  a: { ${UNDONE}, next: c }\n  c: { choose: [{ next: end }] }\n`;
    assert.deepEqual(pathOf(proof(steps, 'never c then payments.cancel_refund')).slice(3), [
      'end: is not come to: a limit ends the run',
      'undo a: calls payments.cancel_refund',
    ]);
  });
});

describe('branches begin in order, as there is room, and none after a failure', () => {
  const steps = (max: number): string =>
    `  p:\n    parallel: { one: { ${PAY} }, two: { ${NOTE} } }\n    max: ${max}\n    next: end\n    on_error: bad\n`;
  test('one at a time is one after the other', () => {
    assert.equal(proof(steps(1), 'crm.note only after payments.create_refund').proved, true);
    assert.deepEqual(pathOf(proof(steps(2), 'crm.note only after payments.create_refund')), [
      'p: begins',
      'p/one: calls payments.create_refund',
      'p/two: calls crm.note',
    ]);
    assert.equal(proof(steps(2), 'payments.create_refund only after crm.note').proved, false);
    assert.equal(proof(steps(2), 'end success only after crm.note').proved, true);
  });
  test('a thousand alike are told apart by number only', () => {
    const branches = Array.from({ length: 1_000 }, (_, index) => `      b${index}: { ${NOTE} }\n`).join('');
    const wide = `  p:\n    parallel:\n${branches}    max: 3\n    next: end\n`;
    assert.equal(proof(wide, 'end success only after crm.note').proved, true);
    assert.equal(proof(wide, 'at most 100 crm.note').proved, false);
  });
});

describe('calls are counted as often as they may be sent', () => {
  test('a retry repeats what had no effect, and of a tool that reads anything', () => {
    assert.equal(proof(`  a: { ${PAY}, retry: { attempts: 4 }, next: end }\n`, 'at most 1 a').proved, true);
    const read = '  a: { tool: crm.find, args: { text: x }, retry: { attempts: 4 }, next: end }\n';
    assert.deepEqual(
      [3, 4].map((times) => proof(read, `at most ${times} crm.find`).proved),
      [false, true],
    );
  });
  test('a step that is come to again counts again, in a loop without end', () => {
    const loop = `  a: { ${NOTE}, next: b }\n  b: { ask: x, yes: a, no: end, expired: end }\n`;
    assert.equal(proof(loop, 'at most 100 a').proved, false);
    assert.equal(pathOf(proof(loop, 'at most 2 crm.note')).filter((line) => line === 'a: calls crm.note').length, 3);
  });
});

describe('conditions are followed', () => {
  const pay = `  pay: { ${PAY}, next: end }\n`;
  const cases: readonly (readonly [why: string, steps: string, property: string, proved: boolean])[] = [
    [
      'a bound that is as tight as the one of the property',
      `  c: { choose: [{ when: input.n <= 5000, next: pay }, { next: bad }] }\n${pay}`,
      'never pay with input.n > 5000',
      true,
    ],
    [
      'a bound that is not',
      `  c: { choose: [{ when: input.n <= 5001, next: pay }, { next: bad }] }\n${pay}`,
      'never pay with input.n > 5000',
      false,
    ],
    [
      'whole numbers, between which there is none',
      `  c: { choose: [{ when: input.n < 5001, next: pay }, { next: bad }] }\n${pay}`,
      'never pay with input.n > 5000',
      true,
    ],
    [
      'the bounds and words of the input',
      `  c: { choose: [{ when: 'input.size > 10 || input.kind == "other"', next: pay }, { next: bad }] }\n${pay}`,
      'never pay',
      true,
    ],
    [
      'the same question asked twice, whatever it asks',
      `  c: { choose: [{ when: 'input.kind.startsWith("r")', next: m }, { next: bad }] }\n  m: { ${NOTE}, next: d }\n  d: { choose: [{ when: 'input.on', next: bad }, { next: e }] }\n  e: { choose: [{ when: '!input.on', next: bad }, { next: pay }] }\n${pay}`,
      'never pay',
      true,
    ],
    [
      'what a model may say',
      `  m: { llm: m, prompt: x, outputs: [y, n], next: c }\n  c: { choose: [{ when: 'steps.m.output in ["y", "n"]', next: bad }, { next: pay }] }\n${pay}`,
      'never pay',
      true,
    ],
    [
      'until the model is asked again',
      `  m: { llm: m, prompt: x, outputs: [y, n], next: c }\n  c: { choose: [{ when: 'steps.m.output == "y"', next: d }, { next: bad }] }\n  d: { ask: x, yes: e, no: m, expired: bad }\n  e: { choose: [{ when: 'steps.m.output == "n"', next: pay }, { next: bad }] }\n${pay}`,
      'never pay',
      true,
    ],
    [
      'an optional value that is not there is an error, and an error is no answer',
      `  c: { choose: [{ when: 'input.note == "x"', next: bad }, { next: end }], on_error: pay }\n${pay}`,
      'never pay',
      false,
    ],
    [
      'a value that is there cannot error',
      `  c: { choose: [{ when: 'input.n > 3 && input.on', next: bad }, { next: end }], on_error: pay }\n${pay}`,
      'never pay',
      true,
    ],
    [
      'a condition of the property that errors holds',
      `  c: { choose: [{ next: pay }] }\n${pay}`,
      'never pay with input.note == "x"',
      false,
    ],
    [
      'what a person has answered',
      `  c: { ask: x, yes: pay, no: end, expired: end }\n${pay}`,
      'never pay with steps.c.output.answer != "yes"',
      true,
    ],
    [
      'whether a step has been done',
      `  c: { ${NOTE}, next: pay, on_error: d }\n  d: { choose: [{ when: has(steps.c), next: pay }, { next: bad }] }\n${pay}`,
      'pay only after c',
      true,
    ],
  ];
  for (const [why, steps, property, proved] of cases) {
    test(why, () => {
      const found = proof(steps, property);
      assert.equal(found.proved, proved, pathOf(found).join('\n'));
    });
  }
});

test('a program that is called is part of the run, with what it undoes', () => {
  const child = programOf(
    `program: child\nstart: one\nsteps:\n  one: { ${UNDONE}, next: two }\n  two: { ${NOTE}, next: good }\n  good: { end: success }\n`,
  );
  const catalog: Catalog = { ...CATALOG, program: (name) => (name === 'child' ? child : undefined) };
  const steps = `  a: { call: child, next: b }\n  b: { ${NOTE}, next: end }\n`;
  assert.equal(proof(steps, 'b only after payments.create_refund', catalog).proved, true);
  assert.deepEqual(pathOf(proof(steps, 'at most 1 crm.note', catalog)).slice(-3), [
    'a > good: ends success',
    'a: done',
    'b: calls crm.note',
  ]);
  assert.deepEqual(pathOf(proof(steps, 'never payments.cancel_refund', catalog)).slice(-2), [
    'a > one: done',
    'a > undo one: calls payments.cancel_refund',
  ]);
  assert.equal(proof(steps, 'never payments.cancel_refund then b', catalog).proved, true, 'it fails then');
  const digests = [program(steps, ['never b'], catalog), program(steps, ['never a'], catalog)].map(
    ({ digest }) => digest,
  );
  assert.equal(new Set(digests).size, 2);
});

test('too much to look at is not proved', () => {
  const found = proveProgram(programOf(`${REFUND}properties: [at most 1 pay]\n`), { placesMax: 3 });
  assert.deepEqual(
    found.map(({ proved }) => proved),
    [false],
  );
  assert.ok(found[0]?.proved === false && found[0].counterexample === undefined);
});

test('a path numbers the steps that it comes to', () => {
  const found = proof(`  a: { ask: x, yes: b, no: b, expired: bad }\n  b: { ${NOTE}, next: end }\n`, 'b only after a');
  assert.deepEqual(found.proved ? [] : pathLines(found.counterexample ?? []), [
    '1. a  asks x',
    '   a  no',
    '2. b  calls crm.note',
  ]);
});

test('ten thousand steps and five properties are proved in seconds [R-program-size]', () => {
  const count = 10_000;
  const first = '  first: { choose: [{ when: input.n > 5000, next: bad }, { next: s0 }] }\n';
  const steps = Array.from({ length: count / 2 }, (_, index) => {
    const next = index + 1 < count / 2 ? `s${index + 1}` : 'pay';
    const choice = `{ choose: [{ when: 'input.n > ${index % 40} && input.on', next: c${index} }, { next: ${next} }] }`;
    return `  s${index}: ${choice}\n  c${index}: { ${UNDONE}, next: ${next}, on_error: bad }\n`;
  }).join('');
  const properties = [
    'pay with input.n > 5000 only after mail.send',
    'at most 3 pay',
    'never mail.send then pay',
    'end success only after pay',
    'payments.cancel_refund only after payments.create_refund',
  ];
  const made = program(`${first}${steps}  pay: { ${NOTE}, next: end }\n`, properties);
  const start = performance.now();
  const proofs = proveProgram(made);
  assert.deepEqual(
    proofs.map(({ proved }) => proved),
    [true, true, true, true, true],
  );
  assert.ok(performance.now() - start < 60_000, 'bounded even on a busy machine');
});
