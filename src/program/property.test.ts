import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CATALOG, REFUND, programOf } from '../../test/refund-program.ts';
import { renderIssue } from '../value/issue.ts';
import type { Catalog } from './catalog.ts';
import { compileProgram } from './compile.ts';

function withProperties(...sentences: readonly string[]): string {
  return `${REFUND}properties:\n${sentences.map((one) => `  - ${one}\n`).join('')}`;
}

/** The first error, with the line and the caret under its place. */
function refused(sentence: string, catalog: Catalog = CATALOG): string {
  const text = withProperties(sentence);
  const compiled = compileProgram(text, 'p.yaml', catalog);
  assert.equal(compiled.ok, false, sentence);
  const error = compiled.issues.find(({ severity }) => severity === 'error');
  return error === undefined ? assert.fail() : renderIssue(error, text);
}

test('properties are read in each of their forms', () => {
  const sentences = [
    'pay only after check',
    "pay with input.amount > 5000 && input.text != ' only after ' only after approve",
    'payments.create_refund only after llm.support',
    'end success only after pay',
    'never crm.find',
    'never crm.find with input.amount > 5 then mail.send',
    'never crm.find then mail.send with steps.pay.output.id == "x"',
    'at most 1 pay',
    'at  most 20   mail.send',
  ];
  const { properties } = programOf(
    withProperties(...sentences.filter((_, index) => index !== 5).map((one) => `>-\n      ${one}`)),
  );
  assert.deepEqual(
    properties.map(({ kind, name, ...rest }) => [kind, name, 'when' in rest ? rest.when?.source : undefined]),
    [
      ['only-after', { kind: 'step', id: 'pay' }, undefined],
      ['only-after', { kind: 'step', id: 'pay' }, "input.amount > 5000 && input.text != ' only after '"],
      ['only-after', { kind: 'tool', tool: 'payments.create_refund' }, undefined],
      ['only-after', { kind: 'success' }, undefined],
      ['never', { kind: 'tool', tool: 'crm.find' }, undefined],
      ['never-then', { kind: 'tool', tool: 'mail.send' }, 'steps.pay.output.id == "x"'],
      ['at-most', { kind: 'step', id: 'pay' }, undefined],
      ['at-most', { kind: 'tool', tool: 'mail.send' }, undefined],
    ],
  );
});

describe('a property that says nothing is refused at its place', () => {
  const cases: readonly (readonly [sentence: string, said: RegExp, under: string])[] = [
    ['pay before check', /expected a property, got `pay before check`.*hint: write `X only after Y`/su, 'pay before'],
    ['at most one pay', /property-malformed/u, 'at most'],
    ['at most 1 pay with input.amount > 5', /property-malformed.*but for `at most`/su, 'at most'],
    ['at most 0 pay', /whole number of 1 to 100, got `0`.*hint: write `never pay`/su, '0 pay'],
    ['pay only after chekc', /speaks of step `chekc`.*hint: did you mean `check`/su, 'chekc'],
    ['never mail.sned then pay', /speaks of tool `mail\.sned`.*hint: did you mean `mail\.send`/su, 'mail.sned'],
    ['create_refund only after pay', /no such step.*hint: a tool is named as `server\.tool`/su, 'create_refund'],
    ['pay with input.amuont > 5 only after check', /`input` has no member `amuont`/u, 'amuont'],
    ['pay with input.amount > "x" only after check', /type-mismatch|no such overload|cannot/u, ''],
    ['pay with input.amount only after check', /expected a bool, got int/u, 'amount only'],
    ['pay with steps.nowhere.output.x == 1 only after check', /there is no such step/u, ''],
    ['end rejected only after check', /property-malformed/u, 'end rejected'],
  ];
  for (const [sentence, said, under] of cases) {
    test(sentence, () => {
      const shown = refused(sentence);
      assert.match(shown, said);
      const [, line = '', caret = ''] = shown.split('\n');
      assert.ok(line.slice(caret.indexOf('^')).startsWith(under), shown);
    });
  }
});

test('a model that is not there is an error, and one that nobody can tell of a warning', () => {
  const hasModel = (known: boolean | undefined): Catalog => ({ ...CATALOG, hasModel: () => known });
  assert.match(
    refused('never llm.suport', { ...CATALOG, hasModel: (name) => name === 'support' }),
    /model-unknown[^]*did you mean `llm\.support`/u,
  );
  const compiled = compileProgram(
    withProperties('never llm.other', 'never llm.support then pay'),
    'p.yaml',
    hasModel(undefined),
  );
  assert.equal(compiled.ok, true);
  const unchecked = compiled.issues.filter(({ code }) => code === 'model-unchecked');
  assert.equal(unchecked.length, 2, 'one where it is asked, one of the property whose model nobody asks');
});

test('`end success` needs a step that ends so', () => {
  const text = 'program: p\nstart: a\nsteps: { a: { end: failed } }\nproperties: [end success only after a]\n';
  const { issues } = compileProgram(text, 'p.yaml', CATALOG);
  assert.deepEqual(
    issues.map(({ code }) => code),
    ['step-unknown'],
  );
});
