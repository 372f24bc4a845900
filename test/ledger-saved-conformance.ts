/** What every ledger must do with the programs that principals save; part of the one suite. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contentFields } from '../src/ledger/content.ts';
import type { EntryDraft, EntryType } from '../src/ledger/entry.ts';
import { savedFolder } from '../src/ledger/saved.ts';
import { draft, one } from './ledger-drafts.ts';
import type { Open } from './ledger-place.ts';
import { isCode } from './ledger-place.ts';

const DIGEST = `sha256:${'5'.repeat(64)}`;

function content(): EntryDraft[] {
  return contentFields(DIGEST, '{}').map((fields) => draft('program.content', fields));
}

function said(type: EntryType, principal: string, name: string): EntryDraft {
  return draft(type, { principal, name, digest: DIGEST });
}

export function savedTests(opened: Open): void {
  test('a program is saved where its text is, replaced, deleted once, and none of it is in the folder of another', async (t) => {
    const { place, ledger } = await opened(t);
    const saved = async (principal: string): Promise<readonly string[]> => [
      ...(await ledger.counters(savedFolder(principal))).keys(),
    ];
    await assert.rejects(ledger.append({ entries: [said('program.saved', 'ann', 'refund')] }), isCode('conflict'));
    await ledger.append({ entries: [...content(), said('program.saved', 'ann', 'refund')] });
    await ledger.append({ entries: [said('program.saved', 'ann', 'refund')] });
    // Names that would lead into the folder of another, were they taken as they are.
    for (const principal of ['ann/refund', 'ann/', 'a%2Fnn']) {
      await ledger.append({ entries: [said('program.saved', principal, 'x')] });
    }
    assert.deepEqual(await saved('ann'), [`${savedFolder('ann')}refund`]);
    const at = (await ledger.counters(savedFolder('ann'))).get(`${savedFolder('ann')}refund`);
    assert.equal((await ledger.entry((at ?? 0) - 1))?.type, 'program.saved');
    await ledger.append({ entries: [said('program.deleted', 'ann', 'refund')] });
    assert.deepEqual(await saved('ann'), []);
    assert.equal((await saved('ann/refund')).length, 1);
    const before = place.leaves().length;
    await assert.rejects(ledger.append({ entries: [said('program.deleted', 'ann', 'refund')] }), isCode('conflict'));
    for (const bad of [
      { principal: 5 },
      { principal: 'a', name: 'b/c', digest: DIGEST },
      { principal: 'a', name: 'b' },
    ]) {
      await assert.rejects(ledger.append(one('program.saved', bad)), { name: 'AssertionError' });
    }
    assert.equal(place.leaves().length, before);
    await ledger.append({ entries: [said('program.saved', 'ann', 'refund')] });
    assert.equal((await saved('ann')).length, 1);
  });
}
