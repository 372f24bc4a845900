/** The `interlock` command on a Node that is too old, on the edges of what is supported, and on this one. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { ROOT } from './source.ts';

const LINE = /^interlock needs Node 22\.23 or newer, or 24\.21 or newer; this is v[\d.]+\. Install it, or run: .*\n$/;

let root = '';

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'interlock-bin-'));
  await mkdir(join(root, 'bin'));
  await copyFile(join(ROOT, 'bin', 'interlock.js'), join(root, 'bin', 'interlock.js'));
  await writeFile(join(root, 'package.json'), '{"type":"module"}');
});

after(() => rm(root, { recursive: true }));

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(node: string, args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(node, [...args], { env: {} }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : -1, stdout, stderr });
    });
  });
}

/** Runs the command with `versions` in place of this Node's own. */
function runAs(versions: { readonly node: string; readonly sqlite?: string }): Promise<Ended> {
  const code = `Object.defineProperty(process, 'versions', { value: ${JSON.stringify(versions)} });`;
  const preload = `data:text/javascript,${encodeURIComponent(code)}`;
  return run(process.execPath, ['--import', preload, join(root, 'bin', 'interlock.js')]);
}

async function place(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), text);
}

/** A Node on the PATH, or where machines keep one, that the command does not support. */
async function oldNode(): Promise<string | undefined> {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/bin', '/usr/local/bin'];
  for (const folder of new Set(folders)) {
    const path = join(folder, 'node');
    const { code, stdout } = await run(path, ['--version']);
    const major = Number(/^v(\d+)\./.exec(stdout)?.[1] ?? Infinity);
    if (code === 0 && major >= 12 && major < 22) return path;
  }
  return undefined;
}

test('an old Node gets one clear line and exit code 2 [R-old-node]', async (t) => {
  const node = await oldNode();
  if (node === undefined) return t.skip('no Node from 12 to 21 on this machine');
  const { code, stdout, stderr } = await run(node, [join(ROOT, 'bin', 'interlock.js'), 'check']);
  assert.equal(code, 2);
  assert.equal(stdout, '');
  assert.match(stderr, LINE);
});

test('only Node with a SQLite that keeps its write-ahead log whole is supported [R-old-node]', async () => {
  await place('src/cli/main.ts', "const word: string = 'source'; process.stdout.write(word);");
  const refused = [
    { node: '20.20.2' },
    { node: '22.22.3', sqlite: '3.51.2' },
    { node: '23.11.1', sqlite: '3.49.1' },
    { node: '24.20.0', sqlite: '3.51.2' },
    { node: '25.2.0', sqlite: '3.51.2' },
    { node: '26.0.0' },
  ];
  for (const versions of refused) {
    const { code, stdout, stderr } = await runAs(versions);
    assert.deepEqual([code, stdout], [2, ''], versions.node);
    assert.match(stderr, LINE);
    assert.ok(stderr.includes(`v${versions.node}.`));
  }
  const supported = [
    { node: '22.23.0', sqlite: '3.51.3' },
    { node: '24.21.0', sqlite: '3.53.4' },
    { node: '25.9.0', sqlite: '3.51.3' },
    { node: '30.0.0', sqlite: '4.0.0' },
  ];
  for (const versions of supported) {
    assert.deepEqual(await runAs(versions), { code: 0, stdout: 'source', stderr: '' }, versions.node);
  }
});

test('the source is run when it is there, else what was built from it', async () => {
  await place('src/cli/main.ts', "const word: string = 'source'; process.stdout.write(word);");
  await place('dist/cli/main.js', "process.stdout.write('built');");
  const command = join(root, 'bin', 'interlock.js');
  assert.deepEqual(await run(process.execPath, [command]), { code: 0, stdout: 'source', stderr: '' });
  await rm(join(root, 'src'), { recursive: true });
  assert.deepEqual(await run(process.execPath, [command]), { code: 0, stdout: 'built', stderr: '' });
});

test('a program that cannot be loaded is said so and exits 70', async () => {
  await place('src/cli/main.ts', "import './absent.ts';");
  const { code, stdout, stderr } = await run(process.execPath, [join(root, 'bin', 'interlock.js')]);
  assert.deepEqual([code, stdout], [70, '']);
  assert.match(stderr, /^interlock: cannot start: .*absent\.ts/);
});

test('of the warnings only that type stripping and SQLite are experimental is kept back', async () => {
  const warn = (text: string): string => `process.emitWarning('${text}', 'ExperimentalWarning');`;
  const texts = ['Type Stripping is an experimental feature and', 'SQLite is an experimental feature and', 'Other'];
  await place('src/cli/main.ts', texts.map(warn).join('\n'));
  const { code, stderr } = await run(process.execPath, [join(root, 'bin', 'interlock.js')]);
  assert.equal(code, 0);
  assert.match(stderr, /ExperimentalWarning: Other/);
  assert.equal(stderr.match(/ExperimentalWarning/g)?.length, 1);
});
