import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { requestOf } from '../../../test/sample-policy.ts';
import { SCOPES, scopeText } from './scope.ts';

const text = (principal: string): string => scopeText(['principal'], requestOf('bank.pay', {}, { principal }));

test('a scope names its values in one order, and who stands for whom when nobody says', () => {
  const request = requestOf('bank.pay', {}, { principal: 'ann', run: { id: 'r1', depth: 0 } });
  assert.equal(scopeText([], request), 'all');
  assert.equal(scopeText(SCOPES, request), 'tenant=,principal=ann,agent=ann,run=r1,tool=bank.pay');
  const other = { ...request, tenant: 't', agent: 'bot' };
  assert.equal(scopeText(SCOPES, other), 'tenant=t,principal=ann,agent=bot,run=r1,tool=bank.pay');
});

test('a value cannot write the signs of a key, and a long one is its digest', () => {
  assert.equal(text('finance@example.com'), 'principal=finance%40example.com');
  assert.equal(text('a/b=c,d@e%f\ng'), 'principal=a%2Fb%3Dc%2Cd%40e%25f%0Ag');
  assert.equal(text('é'), 'principal=%C3%A9');
  assert.equal(text(''), 'principal=');
  assert.equal(text('__proto__'), 'principal=__proto__');
  assert.equal(text('x'.repeat(128)), `principal=${'x'.repeat(128)}`);
  assert.match(text('x'.repeat(129)), /^principal=sha256:[0-9a-f]{64}$/);
  assert.match(text('/'.repeat(10_240)), /^principal=sha256:[0-9a-f]{64}$/);
  assert.match(text('/'.repeat(43)), /^principal=sha256:/, 'what is long once it is escaped');
  assert.doesNotMatch(text('sha256:00'), /sha256:/);
});

test('two combinations never have one text', () => {
  const sign = fc.constantFrom('/', '=', ',', '@', '%', ':', '\n', 'a', '2', 'F', 'é', '😀', '.');
  const value = fc.oneof(
    fc.array(sign, { maxLength: 8 }).map((signs) => signs.join('')),
    fc.string({ maxLength: 200 }),
    fc.array(sign, { minLength: 40, maxLength: 140 }).map((signs) => signs.join('')),
  );
  const one = fc.record({ principal: value, agent: value, id: value });
  fc.assert(
    fc.property(one, one, (a, b) => {
      const of = ({ principal, agent, id }: typeof a): string =>
        scopeText(['principal', 'agent', 'run'], requestOf('t.t', {}, { principal, agent, run: { id, depth: 0 } }));
      const same = a.principal === b.principal && a.agent === b.agent && a.id === b.id;
      assert.equal(of(a) === of(b), same);
      assert.match(of(a), /^principal=[^/@\s]*$/u);
    }),
    { numRuns: 2_000 },
  );
});
