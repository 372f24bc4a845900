/** The list of calls: in folds where there are many, each with a place of its own. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../../value/json.ts';
import { callList } from './call.ts';
import type { Element, Html } from './element.ts';
import { storyOf } from './story.ts';
import type { Told } from './told.ts';

const TOLD: Told = {
  interlock: 'report/1',
  version: '1',
  at: '2026-11-20T18:00:00.000Z',
  log: { verdict: 'ok', entries: 0, unsigned: 0, problems: [], omitted: 0 },
  left: { decisions: {}, events: 0 },
  decisions: {},
  gone: [],
};

function list(entries: readonly JsonObject[]): readonly Element[] {
  const leaves = entries.map((fields, position) => ({
    position,
    leaf: JSON.stringify({ at: '2026-11-20T18:00:00.000Z', ...fields }),
  }));
  return callList(storyOf(leaves).calls, { told: TOLD, policyOf: () => undefined });
}

function* elementsIn(html: Html): Generator<Element> {
  if (typeof html === 'string') return;
  yield html;
  for (const child of html.children) yield* elementsIn(child);
}

function denied(call: string): JsonObject {
  return {
    type: 'call.denied',
    call,
    tool: { name: 'bank.pay' },
    policy: { effect: 'deny', code: 'no-rule', rules: [] },
  };
}

test('many calls lie in folds of a hundred, the first one open, and every place is there once', () => {
  const folds = list(Array.from({ length: 250 }, (_, i) => denied(`call ${i}`)));
  assert.deepEqual(
    folds.map(({ tag, attributes }) => [tag, 'open' in attributes]),
    [
      ['details', true],
      ['details', false],
      ['details', false],
    ],
  );
  const ids = folds.flatMap((fold) => [...elementsIn(fold)].flatMap(({ attributes }) => attributes['id'] ?? []));
  assert.equal(new Set(ids).size, ids.length);
  assert.equal(ids.filter((id) => id.startsWith('call-')).length, 250);
});

test('entries that lack what they should have are shown as far as they go', () => {
  const odd: JsonObject[] = [
    { type: 'call.succeeded', call: 'a' },
    { type: 'call.denied', call: 'b', policy: 'none', args: [1, { $sealed: 'x' }], tool: null, run: [] },
    { type: 'call.intent', call: 'c', at: 'never', policy: { rules: [1, null], facts: [], exceptions: [1] } },
    { type: 'call.parked', call: 'd', approval: 'soon' },
    { type: 'call.settled', call: 'd', as: 7 },
    { type: 'call.later', call: 'e', 'odd\u202e': 1 },
  ];
  const [calls] = list(odd);
  assert.equal([...elementsIn(calls ?? '')].filter(({ attributes }) => attributes['class'] === 'story').length, 5);
});
