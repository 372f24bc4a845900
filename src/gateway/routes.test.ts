import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hostName } from './names.ts';
import { Routes } from './routes.ts';

const order = ['first', 'second'];
const routes = (): Routes => new Routes((server) => order.indexOf(server));

test('a resource belongs to the server that lists it, the earlier one when both do', () => {
  const known = routes();
  known.learnUri('second', 'x://a');
  assert.equal(known.uri('x://a'), 'second');
  known.learnUri('first', 'x://a');
  known.learnUri('second', 'x://a');
  assert.equal(known.uri('x://a'), 'first');
  assert.equal(known.uri('x://b'), undefined);
});

test('a template takes what it fits, and the one that says more wins', () => {
  const known = routes();
  known.learnTemplate('first', 'x://{+path}');
  known.learnTemplate('second', 'x://notes/{id}/text');
  assert.equal(known.uri('x://notes/7/text'), 'second');
  assert.equal(known.uri('x://notes/7'), 'first');
  assert.equal(known.uri('y://notes/7'), undefined);
  assert.equal(known.uri('x://notes/text'), 'first');
  assert.equal(known.template('x://notes/{id}/text'), 'second');
  known.learnUri('first', 'x://notes/7/text');
  assert.equal(known.uri('x://notes/7/text'), 'first');
});

test('literal parts must come in order and must not overlap', () => {
  const known = routes();
  known.learnTemplate('first', 'a{x}b{y}bc');
  for (const [uri, owner] of [
    ['a1b2bc', 'first'],
    ['abbc', 'first'],
    ['abc', undefined],
    ['a1bc', undefined],
    ['cbba', undefined],
  ] as const) {
    assert.equal(known.uri(uri), owner, uri);
  }
});

test('a hostile template costs no more than its length', () => {
  const known = routes();
  known.learnTemplate('first', `${'a{x}'.repeat(5_000)}!`);
  const before = performance.now();
  assert.equal(known.uri('a'.repeat(100_000)), undefined);
  assert.ok(performance.now() - before < 1_000);
});

test('a task stays with the server that named it first, a prompt with its own', () => {
  const known = routes();
  known.learnTask('second', 't');
  known.learnTask('first', 't');
  assert.equal(known.task('t'), 'second');
  const name = known.learnPrompt('first', 'späce');
  assert.equal(name, hostName('first', 'späce'));
  assert.deepEqual(known.prompt(name), { server: 'first', own: 'späce' });
});

test('nothing is left of a server that was forgotten', () => {
  const known = routes();
  known.learnUri('first', 'u');
  known.learnTemplate('first', 'x{y}');
  known.learnTask('first', 't');
  const prompt = known.learnPrompt('first', 'p');
  known.forget('first');
  assert.deepEqual(
    [known.uri('u'), known.uri('xy'), known.task('t'), known.prompt(prompt)],
    [undefined, undefined, undefined, undefined],
  );
});
