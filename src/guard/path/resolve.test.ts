import assert from 'node:assert/strict';
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { resolvePath } from './resolve.ts';

describe('a path guard', () => {
  let base: string;
  let within: string;
  before(async () => {
    base = await realpath(await mkdtemp(path.join(os.tmpdir(), 'interlock-path-')));
    within = path.join(base, 'root');
    await mkdir(path.join(within, 'inner', 'deep'), { recursive: true });
    await mkdir(path.join(base, 'root-sibling'));
    await mkdir(path.join(base, 'outside', 'dir'), { recursive: true });
    await writeFile(path.join(base, 'outside', 'secret'), 'SECRET');
    await writeFile(path.join(within, 'file.txt'), 'text');
    await symlink(path.join(base, 'outside', 'secret'), path.join(within, 'to-secret'));
    await symlink('../outside/dir', path.join(within, 'to-dir'));
    await symlink('../nowhere', path.join(within, 'dangling'));
    await symlink('inner', path.join(within, 'alias'));
    await symlink('loop-b', path.join(within, 'loop-a'));
    await symlink('loop-a', path.join(within, 'loop-b'));
    await mkdir(path.join(within, 'authority'));
  });
  after(() => rm(base, { recursive: true }));

  const resolve = (written: string): ReturnType<typeof resolvePath> =>
    resolvePath({ within, protectedPaths: [path.join(within, 'authority')] }, written);

  test('names the real target of what exists and of what does not exist yet', async () => {
    for (const [written, target] of [
      ['file.txt', 'file.txt'],
      ['./inner//deep/', 'inner/deep'],
      ['inner/../file.txt', 'file.txt'],
      ['alias/new.txt', 'inner/new.txt'],
      ['not/yet/there', 'not/yet/there'],
      ['~/notes', '~/notes'],
      ['..hidden', '..hidden'],
      ['missing/gone/../../file.txt', 'file.txt'],
    ] as const) {
      assert.deepEqual(await resolve(written), { ok: true, target: path.join(within, target) }, written);
    }
    assert.deepEqual(await resolve(path.join(within, 'file.txt')), { ok: true, target: path.join(within, 'file.txt') });
    assert.deepEqual(await resolve('.'), { ok: true, target: within });
  });

  for (const [written, code] of [
    ['../outside/secret', 'path-outside'],
    ['/etc/passwd', 'path-outside'],
    ['../root-sibling/file', 'path-outside'],
    ['inner/../../outside/secret', 'path-outside'],
    ['to-secret', 'path-outside'],
    ['to-dir/new', 'path-outside'],
    ['alias/../../outside/secret', 'path-outside'],
    ['dangling', 'path-dangling'],
    ['loop-a', 'path-dangling'],
    ['missing/../../outside/secret', 'path-outside'],
    ['missing/../to-secret', 'path-outside'],
    ['file.txt/child', 'path-unresolvable'],
    ['', 'path-malformed'],
    ['a\0b', 'path-malformed'],
    ['a\nb', 'path-malformed'],
    ['x'.repeat(5000), 'path-malformed'],
    ['\ud800', 'path-malformed'],
    ['authority', 'path-protected'],
    ['authority/ledger.db', 'path-protected'],
    ['inner/../authority/new', 'path-protected'],
  ] as const) {
    test(`refuses ${JSON.stringify(written.slice(0, 40))} with ${code}`, async () => {
      const answer = await resolve(written);
      assert.equal(answer.ok ? answer.target : answer.code, code);
    });
  }

  test('a root that does not exist refuses everything', async () => {
    const answer = await resolvePath({ within: path.join(base, 'gone'), protectedPaths: [] }, 'x');
    assert.deepEqual(answer.ok ? answer : answer.code, 'path-unresolvable');
  });

  test('refuses every hostile path of the corpus and allows every benign one', async (t) => {
    const rows = corpus(['hostile', 'benign']);
    if (rows === undefined) return t.skip('the corpora are not here (INTERLOCK_CORPORA)');
    const wrong: string[] = [];
    for (const row of rows) {
      const answer = await resolve(row.path.replaceAll('/srv/agent/workspace', within));
      if (row.label === 'must-block' && answer.ok) wrong.push(`${row.id} passed: ${row.path}`);
      if (row.label === 'must-allow' && !answer.ok) wrong.push(`${row.id} refused (${answer.reason}): ${row.path}`);
      if (answer.ok && !`${answer.target}/`.startsWith(`${within}/`))
        wrong.push(`${row.id} escaped to ${answer.target}`);
    }
    assert.deepEqual(wrong, []);
    assert.ok(rows.length > 500, `${rows.length} rows`);
  });
});

function corpus(names: readonly string[]): { id: string; path: string; label: string }[] | undefined {
  const folder = process.env['INTERLOCK_CORPORA'] ?? path.join(import.meta.dirname, '../../../../shared/corpora');
  try {
    return names.flatMap((name) =>
      readFileSync(path.join(folder, 'paths', `${name}.jsonl`), 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as { id: string; path: string; label: string }),
    );
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
