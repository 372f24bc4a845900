/** What a loss of power may leave of the WAL: cut after any frame or within one, with anything behind the cut. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, test } from 'node:test';
import { assertWhole, storedIn } from '../../../test/ledger-directory.ts';
import { intent, newId, one } from '../../../test/ledger-drafts.ts';
import { node } from '../../../test/ledger-process.ts';
import { systemWorld } from '../../world/system.ts';
import { openVault } from '../vault.ts';
import type { StoredLedger } from './store.ts';
import { openLedger } from './store.ts';

const WAL_HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
const WRITES = 8;

/** A data directory as its process left it when it was killed: the database file has no page but its first, all else is in the WAL. */
interface Image {
  readonly directory: string;
  readonly wal: Buffer;
  readonly pageBytes: number;
  /** Of each frame, whether it ends a commit. */
  readonly frames: readonly boolean[];
  readonly leaves: readonly Uint8Array[];
  /** In order of acknowledgement, with the number of commits in the WAL by then. */
  readonly acknowledged: readonly { readonly digest: string; readonly commits: number }[];
}

const root = mkdtempSync(join(tmpdir(), 'interlock-power-'));
after(() => rmSync(root, { recursive: true, force: true }));
let image: Image;
let copies = 0;

before(async () => {
  const directory = join(root, 'image');
  const file = join(directory, 'ledger.db-wal');
  const ends: (() => void)[] = [];
  const child = node({ after: (end) => ends.push(end) }, 'serve', directory);
  const acknowledged: { digest: string; commits: number }[] = [];
  for (let write = 0; write < WRITES; write += 1) {
    const digest = `${write}`;
    child.process.stdin.write(`${digest}\n`);
    await child.line();
    acknowledged.push({ digest, commits: countOf(framesOf(readFileSync(file))) });
  }
  const exited = once(child.process, 'exit');
  child.process.kill('SIGKILL');
  await exited;
  const wal = readFileSync(file);
  const leaves = storedIn(copyOf(directory)).leaves();
  image = { directory, wal, pageBytes: wal.readUInt32BE(8), frames: framesOf(wal), leaves, acknowledged };
});

/** The frames of the log; what was spilled behind its last commit to make the file large is none. */
function framesOf(wal: Buffer): boolean[] {
  const frameBytes = FRAME_HEADER_BYTES + wal.readUInt32BE(8);
  const frames: boolean[] = [];
  for (let at = WAL_HEADER_BYTES; at + frameBytes <= wal.length; at += frameBytes) {
    frames.push(wal.readUInt32BE(at + 4) !== 0);
  }
  return frames.slice(0, frames.lastIndexOf(true) + 1);
}

function countOf(frames: readonly boolean[]): number {
  return frames.filter(Boolean).length;
}

/** A copy without the shared memory, which a loss of power takes along. */
function copyOf(directory: string, wal?: Uint8Array): string {
  const copy = join(root, `${(copies += 1)}`);
  cpSync(directory, copy, { recursive: true, filter: (path) => !/-shm$|\.lock$/u.test(path) });
  if (wal !== undefined) writeFileSync(join(copy, 'ledger.db-wal'), wal);
  return copy;
}

function open(dataDirectory: string): Promise<StoredLedger> {
  return openLedger({ dataDirectory, world: systemWorld, vault: openVault(dataDirectory, systemWorld) });
}

/** Opens what is left, and holds it against what was acknowledged when `commits` were on disk. Removes it. */
async function assertRecovered(directory: string, commits: number, what: string): Promise<void> {
  let opened: string;
  {
    await using ledger = await open(directory);
    opened = ledger.instance;
    // It goes on, and an intent among what follows.
    await ledger.append(intent({ call: newId(), attempt: newId(), instance: opened, keys: [`h_${newId()}`] }));
    await ledger.append(one('policy.loaded', { digest: 'next' }));
  }
  const digests = await assertWhole(directory);
  const promised = image.acknowledged.filter((each) => each.commits <= commits).map(({ digest }) => digest);
  assert.deepEqual(digests.slice(0, promised.length), promised, what);
  assert.deepEqual(
    [...image.acknowledged.map(({ digest }) => digest).slice(0, digests.length - 1), 'next'],
    digests,
    what,
  );
  // Byte by byte the log of before, and then what the new opening wrote.
  const leaves = storedIn(directory).leaves();
  const at = leaves.findIndex((leaf) => Buffer.from(leaf).includes(opened));
  assert.deepEqual(leaves.slice(0, at), image.leaves.slice(0, at), what);
  rmSync(directory, { recursive: true });
}

/** What may stand behind the last thing that reached the disk. */
const TAILS: Readonly<Record<string, (rest: Buffer) => Uint8Array>> = {
  nothing: () => new Uint8Array(0),
  noise: (rest) => systemWorld.random(Math.min(rest.length, 9_000)),
  zeros: (rest) => new Uint8Array(Math.min(rest.length, 9_000)),
  // Later frames reached the disk before the one that is missing.
  'what came later': (rest) => Buffer.concat([systemWorld.random(Math.min(512, rest.length)), rest.subarray(512)]),
};

test('whatever is left of the WAL, the log is a prefix of the one before, with all that was acknowledged [R-power-loss]', async (t) => {
  const { wal, frames, pageBytes } = image;
  const frameBytes = FRAME_HEADER_BYTES + pageBytes;
  const end = WAL_HEADER_BYTES + frames.length * frameBytes;
  const tails = Object.entries(TAILS);
  // Within its header, between that and its page, within the page, and one byte short.
  const cuts = [10, FRAME_HEADER_BYTES, FRAME_HEADER_BYTES + 700, frameBytes - 1];
  let images = 0;
  for (let frame = frames.indexOf(true) + 1; frame <= frames.length; frame += 1) {
    const [name, tail] = tails[frame % tails.length] ?? ['', () => new Uint8Array(0)];
    for (const within of frame === frames.length ? [0] : [0, cuts[frame % cuts.length] ?? 0]) {
      const cut = WAL_HEADER_BYTES + frame * frameBytes + within;
      const bytes = Buffer.concat([wal.subarray(0, cut), tail(wal.subarray(cut, end))]);
      const what = `cut at frame ${frame}, byte ${within}, before ${name}`;
      await assertRecovered(copyOf(image.directory, bytes), countOf(frames.slice(0, frame)), what);
      images += 1;
    }
  }
  t.diagnostic(`${images} images of ${frames.length} frames`);
});

test('a frame that was damaged ends the log before its commit, whatever is intact behind it [R-power-loss]', async () => {
  const { wal, frames, pageBytes } = image;
  const frameBytes = FRAME_HEADER_BYTES + pageBytes;
  const commits = frames.flatMap((isCommit, frame) => (isCommit ? frame : []));
  for (const [index, frame] of commits.entries()) {
    if (index === 0) continue;
    const bytes = Buffer.from(wal);
    const at = WAL_HEADER_BYTES + frame * frameBytes + FRAME_HEADER_BYTES + ((index * 997) % pageBytes);
    bytes.writeUInt8(bytes.readUInt8(at) ^ 0x40, at);
    await assertRecovered(copyOf(image.directory, bytes), index, `commit ${index} is damaged at ${at}`);
  }
});

test('a database file that is half written from the WAL is made whole from it [R-power-loss]', async () => {
  const { frames, pageBytes } = image;
  const finished = copyOf(image.directory);
  const database = new DatabaseSync(join(finished, 'ledger.db'));
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  database.close();
  const pages = readFileSync(join(finished, 'ledger.db'));
  const old = readFileSync(join(image.directory, 'ledger.db'));
  assert.equal(old.length, pageBytes);
  for (let round = 0; round < 6; round += 1) {
    const torn = Buffer.alloc(pages.length);
    old.copy(torn);
    for (let page = 0; page < pages.length / pageBytes; page += 1) {
      // A page is not written yet, torn at a sector, or written.
      const written = [0, 512, 2_048, pageBytes][(page * 7 + round) % 4] ?? 0;
      pages.copy(torn, page * pageBytes, page * pageBytes, page * pageBytes + written);
    }
    const copy = copyOf(image.directory);
    writeFileSync(join(copy, 'ledger.db'), torn);
    await assertRecovered(copy, countOf(frames), `round ${round}`);
  }
});
