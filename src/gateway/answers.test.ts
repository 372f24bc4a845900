import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Answer } from '../authority/answer.ts';
import { keyIn, methodOutcome, questionOutcome, toolOutcome, withoutOurs } from './answers.ts';

const plain: Answer = { call: 'c', state: 'succeeded', replayed: false, output: { content: [], future: 1 } };
const denied: Answer = {
  call: 'c',
  state: 'denied',
  replayed: false,
  decision: { effect: 'deny', code: 'no-rule', rules: [], retryable: false },
  sentence: 'nothing allows it',
};
const error = { code: -7, message: 'no', data: [1] };

test('a result is passed on with nothing added but the call', () => {
  const call = { id: 'c', state: 'succeeded', replayed: false };
  assert.deepEqual(toolOutcome(plain), { result: { content: [], future: 1, _meta: { 'interlock/call': call } } });
  assert.deepEqual(methodOutcome(plain), { result: { content: [], future: 1, _meta: { 'interlock/call': call } } });
  assert.deepEqual(questionOutcome(plain), { result: { content: [], future: 1 } });
});

test('a replay says so', () => {
  const outcome = toolOutcome({ ...plain, replayed: true });
  assert.ok('result' in outcome);
  const call = { id: 'c', state: 'succeeded', replayed: true };
  assert.deepEqual(outcome.result['_meta'], { 'interlock/call': call });
});

test('a denial is a result of a tool, an error of anything else', () => {
  assert.deepEqual(toolOutcome(denied), {
    result: {
      content: [{ type: 'text', text: 'nothing allows it' }],
      isError: true,
      _meta: {
        'interlock/call': { id: 'c', state: 'denied', replayed: false },
        'interlock/decision': { ...denied.decision },
      },
    },
  });
  const call = { id: 'c', state: 'denied', replayed: false };
  const refused = { code: -32_010, message: 'nothing allows it', data: { ...denied.decision } };
  const data = { ...denied.decision, _meta: { 'interlock/call': call } };
  assert.deepEqual(methodOutcome(denied), { error: { ...refused, data } });
  assert.deepEqual(questionOutcome(denied), { error: refused });
});

test("a server's error is that error with the call in its data, and as a replay a result [R-call-in-error]", () => {
  const failed: Answer = { call: 'c', state: 'failed', replayed: false, output: { error } };
  const _meta = { 'interlock/call': { id: 'c', state: 'failed', replayed: false } };
  for (const [sent, data] of [
    [undefined, { _meta }],
    [{ url: 'x' }, { url: 'x', _meta }],
    [{ _meta: { kept: 1, 'interlock/call': { id: 'forged' } } }, { _meta: { kept: 1, ..._meta } }],
    [[1], { value: [1], _meta }],
    ['why', { value: 'why', _meta }],
    [null, { value: null, _meta }],
  ] as const) {
    const said = { code: -7, message: 'no', ...(sent === undefined ? {} : { data: sent }) };
    const answer = { ...failed, output: { error: said } };
    for (const outcome of [toolOutcome(answer), methodOutcome(answer)]) {
      assert.deepEqual(outcome, { error: { code: -7, message: 'no', data } });
    }
    assert.deepEqual(questionOutcome(answer), { error: said }, 'nothing of ours goes to a server');
  }
  const replayed = toolOutcome({ ...failed, replayed: true });
  assert.ok('result' in replayed && replayed.result['isError'] === true);
});

test('a result that only looks like an error stays a result', () => {
  const output = { isError: true, content: [], error };
  const outcome = toolOutcome({ call: 'c', state: 'failed', replayed: false, output });
  assert.ok('result' in outcome && outcome.result['error'] === error);
  const succeeded = toolOutcome({ ...plain, output: { error } });
  assert.ok('result' in succeeded);
});

test('an unknown outcome always says unknown and how to settle it', () => {
  const outcome = toolOutcome({ call: 'c7', state: 'unknown', replayed: false });
  assert.ok('result' in outcome);
  assert.match(JSON.stringify(outcome.result), /unknown.*interlock settle c7 executed\|not-executed --reason TEXT/);
  assert.equal(outcome.result['isError'], true);
});

test('what a person settled without the shape of a result is put into one', () => {
  const outcome = toolOutcome({ call: 'c', state: 'settled-executed', replayed: true, output: { paid: 5 } });
  assert.ok('result' in outcome);
  const { content, structuredContent, isError } = outcome.result;
  assert.deepEqual(
    [content, structuredContent, isError],
    [[{ type: 'text', text: '{"paid":5}' }], { paid: 5 }, undefined],
  );
});

test('only a text of 1 to 256 characters is a key', () => {
  assert.deepEqual(keyIn({}), {});
  assert.deepEqual(keyIn({ 'interlock/key': 'k'.repeat(256) }), { key: 'k'.repeat(256) });
  for (const key of ['', 'k'.repeat(257), 1, null, {}, ['k']])
    assert.equal(typeof keyIn({ 'interlock/key': key }), 'string');
});

test('what begins with our prefix is ours', () => {
  assert.deepEqual(withoutOurs({ 'interlock/x': 1, interlock: 2, 'Interlock/x': 3 }), {
    interlock: 2,
    'Interlock/x': 3,
  });
});
