import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { newId } from '../../../test/ledger-drafts.ts';
import { holdInstance, isHeld, otherInstances, removeDead } from './instance.ts';

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'interlock-instance-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

test('an instance lives from the moment it is held until it is released, however often others look', (t) => {
  const instances = folder(t);
  const id = newId();
  assert.equal(isHeld(instances, id), false);
  const held = holdInstance(instances, id);
  for (let i = 0; i < 3; i += 1) assert.equal(isHeld(instances, id), true);
  held.release();
  assert.equal(isHeld(instances, id), false);
  assert.deepEqual(readdirSync(instances), []);
});

test('only lock files that nobody holds are removed', (t) => {
  const instances = folder(t);
  const [own, alive, dead] = [newId(), newId(), newId()];
  const held = [holdInstance(instances, own), holdInstance(instances, alive)];
  // What a crash leaves: a file without its holder.
  writeFileSync(join(instances, `${dead}.lock`), '');
  writeFileSync(join(instances, 'notes.txt'), '');
  assert.deepEqual(new Set(otherInstances(instances, own)), new Set([alive, dead]));
  assert.equal(isHeld(instances, dead), false);
  removeDead(instances, own);
  assert.deepEqual(otherInstances(instances, own), [alive]);
  assert.equal(isHeld(instances, own), true);
  assert.equal(isHeld(instances, alive), true);
  for (const one of held) one.release();
  assert.deepEqual(readdirSync(instances), ['notes.txt']);
});

test('an id that is no UUID names no file', (t) => {
  const instances = folder(t);
  writeFileSync(join(instances, 'x.lock'), '');
  assert.equal(isHeld(instances, 'x'), false);
  assert.equal(isHeld(instances, '../x'), false);
});
