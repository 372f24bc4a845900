import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { stringify } from 'yaml';
import { CATALOG, REFUND, programOf } from '../../test/refund-program.ts';
import { digestOf } from '../value/digest.ts';
import { type JsonObject, isJsonObject, parseJson } from '../value/json.ts';
import { cel, defineProgram, expr } from './builder.ts';
import { compileProgram } from './compile.ts';
import type { ProgramDocument } from './document-type.ts';
import type { ProgramInput, StepOutput } from './output-type.ts';
import { readProgram } from './read.ts';
import { begin } from './transition.ts';

const refund = defineProgram({
  program: 'refund',
  version: 1,
  input: {
    type: 'object',
    required: ['charge', 'amount', 'text'],
    properties: { charge: { type: 'string' }, amount: { type: 'integer' }, text: { type: 'string' } },
  },
  limits: { steps: 50, stalled: 3, tokens: 20_000, usd: 0.5, time: '10m' },
  events: { 'payment.settled': { type: 'object' } },
  start: 'classify',
  steps: {
    classify: {
      llm: 'support',
      prompt: `Is this a refund request? Answer refund, query or other.\n${expr('input.text')}`,
      outputs: ['refund', 'query', 'other'],
      // oxlint-disable-next-line unicorn/no-thenable -- a key of the language
      mismatch: { retry: 2, then: 'fail' },
      timeout: '20s',
      next: 'check',
    },
    check: {
      choose: [
        { when: 'steps.classify.output == "refund" && input.amount <= 5000', next: 'pay' },
        { when: 'steps.classify.output == "refund"', next: 'approve' },
        { next: 'reject' },
      ],
    },
    approve: {
      ask: 'finance',
      show: `Refund ${expr('input.amount')}?`,
      timeout: '24h',
      yes: 'pay',
      no: 'reject',
      expired: 'reject',
    },
    pay: {
      tool: 'payments.create_refund',
      args: { charge: expr('input.charge'), amount: expr('input.amount') },
      retry: { attempts: 4 },
      timeout: '30s',
      undo: { tool: 'payments.cancel_refund', args: { id: expr('steps.pay.output.id') } },
      next: 'notify',
    },
    notify: {
      parallel: {
        mail: { tool: 'mail.send', args: { to: 'support@example.com' } },
        log: { tool: 'crm.note', args: { text: 'refunded' } },
      },
      max: 2,
      next: 'settled',
    },
    settled: { wait: 'payment.settled', timeout: '72h', next: 'done', expired: 'escalate' },
    done: { end: 'success', output: { refund: expr('steps.pay.output.id') } },
    reject: { end: 'rejected' },
    escalate: { end: 'failed', because: 'not settled in time' },
  },
});

/** The digest of the program as it is compiled, or at least of the document where it would not run. */
function digestOfText(text: string): string {
  const read = readProgram(text, 'p');
  assert.ok(read.ok, JSON.stringify(read.issues));
  return digestOf(read.value.data);
}

describe('what the types of a program tell', () => {
  test('before it is compiled', () => {
    const wrong = defineProgram({
      program: 'wrong',
      // @ts-expect-error -- there is no such step
      start: 'clasify',
      // @ts-expect-error -- no such key
      more: 1,
      steps: {
        classify: {
          llm: 'support',
          prompt: 'Refund?',
          outputs: ['refund', 'other'],
          // @ts-expect-error -- no such key, and no such step
          // oxlint-disable-next-line unicorn/no-thenable -- a key of the language
          mismatch: { rety: 2, then: 'fial' },
          next: 'check',
        },
        check: {
          choose: [
            // @ts-expect-error -- no step of this name leaves an output
            { when: 'steps.clasify.output == "refund"', next: 'pay' },
            // @ts-expect-error -- a choice leaves none
            { when: 'has(steps.check)', next: 'pay' },
            // @ts-expect-error -- the model never answers that
            { when: 'steps.classify.output == "refnud"', next: 'pay' },
            // @ts-expect-error -- there is no such step
            { next: 'nope' },
          ],
        },
        pay: {
          tool: 'payments.create_refund',
          // @ts-expect-error -- expressions are read wherever they stand
          args: { of: ['steps.pay', { id: `Refund ${expr('steps.pya.output.id')}` }] },
          // @ts-expect-error -- no such key
          on_eror: 'no',
          next: 'no',
        },
        // @ts-expect-error -- a step is of one kind
        both: { tool: 'mail.send', ask: 'finance', next: 'no' },
        // @ts-expect-error -- it leads somewhere
        lost: { tool: 'mail.send' },
        fork: {
          parallel: {
            // @ts-expect-error -- a branch leads nowhere by itself
            one: { tool: 'mail.send', next: 'no' },
            // @ts-expect-error -- not when an answer does not fit either
            // oxlint-disable-next-line unicorn/no-thenable -- a key of the language
            two: { llm: 'support', prompt: '?', outputs: ['x'], mismatch: { then: 'no' } },
          },
          next: 'no',
        },
        no: { end: 'rejected' },
      },
    });
    assert.equal(compileProgram(JSON.stringify(wrong), 'wrong.ts', CATALOG).ok, false);
  });

  test('is said of no text that only looks like an expression', () => {
    const right = defineProgram({
      program: 'right',
      start: 'a',
      steps: {
        a: { llm: 'support', prompt: 'List the steps.foo of this.', outputs: ['x', 'y'], next: 'b' },
        b: { choose: [{ when: "steps.a.output == 'x' && 'steps.foo' != input.text", next: 'c' }, { next: 'c' }] },
        c: { end: 'success', output: { when: 'steps.foo', text: '${{ "steps.foo" }}' } },
      },
    });
    assert.deepEqual(readProgram(JSON.stringify(right), 'p').issues, []);
  });

  test('is what a run takes, and what each step leaves', () => {
    const input: ProgramInput<typeof refund> = { charge: 'ch_1', amount: 1, text: 'please' };
    const word: StepOutput<typeof refund, 'classify'> = 'refund';
    // @ts-expect-error -- none of its outputs
    const other: StepOutput<typeof refund, 'classify'> = 'refnud';
    // @ts-expect-error -- an amount is a number, and a charge is needed
    const wrong: ProgramInput<typeof refund> = { amount: '1', text: 'please' };
    const answer: StepOutput<typeof refund, 'approve'> = { answer: 'expired' };
    assert.deepEqual(Object.keys(input).length + Object.keys(answer).length + Object.keys(wrong).length, 6);
    assert.notEqual(word, other);
  });
});

test('a value stands in an expression as itself, whatever is in it [R-program-builder]', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.integer(), (name, amount) => {
      const source = cel`input.text == ${name} && input.amount >= ${amount} || input.text in ${[name]}`;
      const steps = { a: { end: 'success', output: expr(source) } };
      const document: ProgramDocument = { ...refund, program: 'any', events: {}, start: 'a', steps };
      const compiled = compileProgram(JSON.stringify(document), 'p', CATALOG);
      assert.ok(compiled.ok, JSON.stringify(compiled.issues));
      const input = { charge: '', amount, text: name };
      assert.deepEqual(begin(compiled.value, input).state.ending?.output, true);
      assert.deepEqual(begin(compiled.value, { ...input, text: `${name}x` }).state.ending?.output, false);
    }),
  );
});

test('a program has one digest, in YAML, in JSON and in TypeScript [R-program-builder]', () => {
  const compiled = compileProgram(JSON.stringify(refund), 'refund.ts', CATALOG);
  assert.ok(compiled.ok, JSON.stringify(compiled.issues));
  const digests = [compiled.value.digest, digestOf(refund), programOf(REFUND).digest];
  assert.deepEqual(new Set(digests).size, 1, digests.join());
});

const IDS = ['a', 'b', 'c'] as const;
const id = fc.constantFrom(...IDS, 'end');
const text = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('yes', 'null', '1', '~', '- x', '#', '${{ input }}'),
);
const plain = text.filter((each) => each !== '' && (!each.includes('${{') || each === '${{ input }}'));
const number = fc
  .double({ noNaN: true, noDefaultInfinity: true })
  .filter((each) => !Number.isInteger(each) || Number.isSafeInteger(each));
const { tree } = fc.letrec<{ tree: JsonObject }>((tie) => ({
  tree: fc.dictionary(plain, fc.oneof(plain, fc.integer(), number, fc.boolean(), tie('tree')), {
    maxKeys: 3,
    noNullPrototype: true,
  }),
}));
const STEP: fc.Arbitrary<ProgramDocument['steps'][string]> = fc.oneof(
  fc.record({ tool: plain, args: tree, next: id }),
  fc.record({ llm: plain, prompt: plain, outputs: fc.tuple(plain), next: id, on_error: id }),
  fc.record({ call: plain, input: tree, next: id }),
  fc.record({ ask: plain, show: plain, yes: id, no: id, expired: id }),
  fc.record({ wait: plain, timeout: fc.constantFrom('1s', '5m'), next: id, expired: id }),
  fc.record({
    parallel: fc.record({ one: fc.record({ tool: plain, args: tree }) }),
    max: fc.nat(9).map((n) => n + 1),
    next: id,
  }),
  fc.record({ choose: fc.tuple(fc.record({ when: plain, next: id }), fc.record({ next: id })) }),
);
const DOCUMENTS = fc.record({
  a: STEP,
  b: STEP,
  c: STEP,
  end: fc.record({ end: fc.constant('success'), output: tree }),
});

test('whatever is in a program, its digest is the same in YAML, in JSON and in TypeScript [R-program-builder]', () => {
  fc.assert(
    fc.property(DOCUMENTS, (steps) => {
      // As a document that is read back: what JSON cannot say, such as -0, is no difference between the three.
      const document: ProgramDocument = { program: 'any', start: 'a', steps };
      const parsed = parseJson(JSON.stringify(document));
      fc.pre(parsed.ok);
      assert.ok(parsed.ok && isJsonObject(parsed.value));
      const wanted = digestOf(parsed.value);
      assert.equal(digestOfText(JSON.stringify(defineProgram(document))), wanted);
      assert.equal(digestOfText(stringify(document, { lineWidth: 0 })), wanted);
    }),
  );
});
