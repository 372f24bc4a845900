/** Network file systems, on which no ledger is kept: locks and shared memory of theirs hold within one machine, if at all. */

import { readFileSync, realpathSync, statfsSync } from 'node:fs';
import { resolve, sep } from 'node:path';

/** By the type that Linux tells of a mounted file system (statfs(2)). Clustered disks share files without memory. */
const NETWORKS: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff53_4d42, 'SMB'],
  [0xfe53_4d42, 'SMB'],
  [0x0102_1997, '9P'],
  [0x5346_414f, 'AFS'],
  [0x6b41_4653, 'AFS'],
  [0x7375_7245, 'Coda'],
  [0x00c3_6400, 'Ceph'],
  [0x0bd0_0bd0, 'Lustre'],
  [0x4750_4653, 'GPFS'],
  [0x1983_0326, 'BeeGFS'],
  [0x0116_1970, 'GFS2'],
  [0x7461_636f, 'OCFS2'],
  [0x786f_4256, 'a folder that VirtualBox shares'],
  [0xbacb_acbc, 'a folder that VMware shares'],
]);
const FUSE = 0x6573_5546;
/** Of the many file systems in user space those that are known to be elsewhere; the others are let be. */
const FUSE_NETWORKS =
  /^fuse\.(?:sshfs|rclone|s3fs|goofys|gcsfuse|blobfuse2?|mountpoint-s3|glusterfs|ceph(?:-fuse)?|davfs2?|curlftpfs|smbnetfs|gvfsd-fuse|juicefs|seaweedfs|moosefs|mfs|vmhgfs-fuse|osxfs|grpcfuse|drvfs)$/u;

/** What kind of network the file system of an existing directory is on; nothing for a local one, or where no one tells. */
export function networkOf(directory: string): string | undefined {
  if (process.platform === 'win32') return /^\\\\[^?.]/u.test(resolve(directory)) ? 'a network share' : undefined;
  // Elsewhere the numbers mean something else.
  if (process.platform !== 'linux') return undefined;
  try {
    // Unsigned, as the table is: some machines tell a number below 0.
    const type = statfsSync(directory).type >>> 0;
    if (type !== FUSE) return NETWORKS.get(type);
    return fuseNetwork(readFileSync('/proc/self/mountinfo', 'utf8'), realpathSync(directory));
  } catch {
    // It is not known to be one. What cannot be used at all is told by the next thing that is done there.
    return undefined;
  }
}

/** The kind of the mount that `path` is in, when it is a network; `mountinfo` is that of proc(5). */
export function fuseNetwork(mountinfo: string, path: string): string | undefined {
  let found = { point: '', type: '' };
  for (const line of mountinfo.split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    const point = (before.split(' ')[4] ?? '').replaceAll(/\\([0-7]{3})/g, (_, octal: string) =>
      String.fromCodePoint(Number.parseInt(octal, 8)),
    );
    const isIn = path === point || path.startsWith(point.endsWith(sep) ? point : `${point}${sep}`);
    // Of two at one point the later one lies over the other.
    if (point !== '' && isIn && point.length >= found.point.length) found = { point, type: after.split(' ')[0] ?? '' };
  }
  return FUSE_NETWORKS.test(found.type) ? found.type.slice('fuse.'.length) : undefined;
}
