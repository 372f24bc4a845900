import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fuseNetwork, networkOf } from './network.ts';

const MOUNTS = `22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
40 22 0:35 / /mnt rw - tmpfs tmpfs rw
41 40 0:36 / /mnt/far\\040away rw,nosuid - fuse.sshfs me@there: rw,user_id=0
42 40 0:37 / /mnt/disk rw - fuseblk /dev/sdb1 rw
43 40 0:38 / /mnt/layers rw shared:7 master:1 - fuse.fuse-overlayfs overlay rw
44 41 0:39 / /mnt/far\\040away/near rw - ext4 /dev/sdc rw
45 22 0:40 / /over rw - ext4 /dev/sdd rw
46 22 0:41 / /over rw - fuse.s3fs bucket rw
`;

test('of file systems in user space those that are known to be elsewhere are networks, by the mount a path is in', () => {
  const expected: Readonly<Record<string, string | undefined>> = {
    '/mnt/far away/data': 'sshfs',
    '/mnt/far away': 'sshfs',
    '/mnt/far away/near/data': undefined,
    '/mnt/far awaydata': undefined,
    '/mnt/disk/data': undefined,
    '/mnt/layers/data': undefined,
    '/home': undefined,
    // The later mount lies over the earlier one.
    '/over/data': 's3fs',
  };
  for (const [path, kind] of Object.entries(expected)) assert.equal(fuseNetwork(MOUNTS, path), kind, path);
  assert.equal(fuseNetwork('', '/mnt/far away'), undefined);
});

test('a directory on a local disk is on no network, nor is one that is not there', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'interlock-network-'));
  t.after(() => rmSync(directory, { recursive: true }));
  assert.equal(networkOf(directory), undefined);
  assert.equal(networkOf(join(directory, 'none')), undefined);
});
