import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { NAME_MAX, hostName, splitName } from './names.ts';

const server = fc.stringMatching(/^[a-z][a-z0-9-]{0,31}$/);
const own = fc.oneof(fc.string({ unit: 'grapheme', minLength: 1 }), fc.stringMatching(/^[A-Za-z0-9_.-]{1,90}$/));

test('every name is one that every host accepts', () => {
  fc.assert(
    fc.property(server, own, (id, name) => {
      assert.match(hostName(id, name), /^[A-Za-z0-9_-]{1,64}$/);
      assert.ok(hostName(id, name).length <= NAME_MAX);
      assert.equal(splitName(hostName(id, name))?.server, id);
    }),
  );
});

test('a plain name is kept and can be taken apart again', () => {
  fc.assert(
    fc.property(server, fc.stringMatching(/^[A-Za-z0-9_-]{1,30}$/), (id, name) => {
      assert.equal(hostName(id, name), `${id}__${name}`);
      assert.deepEqual(splitName(hostName(id, name)), { server: id, own: name });
    }),
  );
});

test('different tools have different names', () => {
  fc.assert(
    fc.property(server, own, server, own, (one, a, other, b) => {
      fc.pre(one !== other || a !== b);
      assert.notEqual(hostName(one, a), hostName(other, b));
    }),
  );
});

test('a hashed name stays the same for ever', () => {
  assert.equal(hostName('files', 'read.file'), 'files__read_file_de45487eff');
});

test('what is no name of ours has no parts', () => {
  for (const name of ['', 'plain', '__tool', '_', 'a_b']) assert.equal(splitName(name), undefined, name);
});
