/** The dependency law, read from the imports of the code. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  constructorsAreNotCalled,
  importsHaveNoCycle,
  importsKeepToFloors,
  narrowPartsKeepToBounds,
  powersStayHome,
  pureFloorsStayPure,
  tableFaults,
} from './architecture.ts';
import type { Law } from './architecture.ts';
import { FLOORS_PAGE, withFloors } from './floors.ts';
import { ROOT, parseSource, readFiles } from './source.ts';
import type { Source } from './source.ts';

const everySource = [...readFiles(['src'], ['.ts', '.js'])].map(([path, text]) => parseSource(path, text));
const sources = everySource.filter(({ path }) => !path.endsWith('.test.ts'));

/** A defect: the file, its code, and what the law must say of it. */
type Plant = readonly [path: string, code: string, expected: string];

/** The law finds nothing in the code, and finds every planted defect at its line. */
function lawTest(name: string, law: Law, code: readonly Source[], plants: readonly Plant[]): void {
  test(name, () => {
    assert.ok(code.length > 0, 'no sources were read');
    assert.deepEqual(law(code), []);
  });
  test(`${name}: a planted defect is found at its line`, () => {
    for (const [path, text, expected] of plants) {
      const found = law([parseSource(path, `\n${text}`)]);
      assert.equal(found.length, 1, `${found.length} problems found in \`${text}\` of ${path}`);
      assert.ok(found[0]?.startsWith(`${path}:2: `), found[0]);
      assert.ok(found[0]?.includes(expected), `\`${found[0]}\` says nothing of \`${expected}\``);
    }
  });
}

test('the floor table lets no folder import a higher floor', () => {
  assert.deepEqual(tableFaults(), []);
});

lawTest('each folder imports only what its row names [R-floors]', importsKeepToFloors, everySource, [
  ['src/value/x.ts', "import { a } from '../expression/a.ts';", 'imports `expression`; it may import no folder'],
  [
    'src/policy/x.ts',
    "import {\n a,\n b,\n} from '../ledger/a.ts';",
    'imports `ledger`; it may import value, document, schema, expression',
  ],
  ['src/tlog/x.ts', "import type { A } from '../world/world.ts';", 'imports `world`'],
  ['src/guard/x.ts', "export { a } from '../ledger/a.ts';", 'imports `ledger`'],
  ['src/guard/x.ts', "export * from '../tlog/a.ts';", 'imports `tlog`'],
  ['src/authority/x.ts', "const a = await import('../program/a.ts');", 'imports `program`'],
  ['src/ledger/x.ts', "type A = import('../authority/a.ts').A;", 'imports `authority`'],
  ['src/ledger/x.ts', "const w = new Worker(new URL('../cli/a.ts', import.meta.url));", 'imports `cli`'],
  ['src/gateway/x.ts', "import '../proxy/a.ts';", 'imports `proxy`'],
  ['src/cli/x.ts', 'const a = await import(name);', 'must be a literal'],
  ['src/cli/x.ts', "import '../../test/source.ts';", 'leaves src'],
  ['src/cli/x.ts', "import '../index.ts';", 'is an entry point'],
  ['src/cli/x.ts', "import { join } from 'path';", 'write `node:path`'],
  ['src/common/x.ts', 'export const a = 1;', 'no floor has the folder `common`'],
]);

lawTest('the structural verifier depends on no store', narrowPartsKeepToBounds, sources, [
  ['src/ledger/verify/x.ts', "import { a } from '../sqlite/a.ts';", 'imports `ledger/sqlite`'],
  ['src/ledger/verify/x.ts', "import type { World } from '../../world/world.ts';", 'imports `world`'],
]);

test('no file imports itself by way of others [R-floors]', () => {
  assert.deepEqual(importsHaveNoCycle(sources), []);
  const cycle = importsHaveNoCycle([
    parseSource('src/value/a.ts', "\nimport type { B } from './b.ts';"),
    parseSource('src/value/b.ts', "import { c } from './c.ts';"),
    parseSource('src/value/c.ts', "\n\nexport { a } from './a.ts';"),
  ]);
  assert.deepEqual(cycle, [
    'src/value/c.ts:3: a cycle: src/value/a.ts → src/value/b.ts → src/value/c.ts → src/value/a.ts',
  ]);
});

lawTest('every power of the platform is used only in its homes [R-powers]', powersStayHome, sources, [
  ['src/ledger/x.ts', "import { DatabaseSync } from 'node:sqlite';", 'used only in ledger/sqlite'],
  ['src/ledger/sqlite/x.ts', "import pg from 'pg';", 'used only in ledger/postgres'],
  ['src/cli/x.ts', "import { spawn } from 'child_process';", 'used only in guard/process, gateway'],
  ['src/cli/x.ts', "import { request } from 'node:https';", 'used only in guard/net'],
  ['src/guard/path/x.ts', "import { lookup } from 'node:dns/promises';", 'used only in guard/net'],
  ['src/authority/x.ts', "await fetch('x');", '`fetch` is the network'],
  ['src/authority/x.ts', 'new WebSocket(url);', 'is the network'],
  ['src/authority/x.ts', "import { Client } from '@modelcontextprotocol/client';", 'used only in gateway'],
  ['src/gateway/x.ts', "import { trace } from '@opentelemetry/api';", 'used only in gateway/telemetry.ts'],
  ['src/gateway/x.ts', "import { createOpenAI } from '@ai-sdk/openai';", 'used only in runtime/model'],
  ['src/policy/x.ts', "import { parse } from '@marcbachmann/cel-js';", 'used only in expression'],
  ['src/cli/x.ts', 'const t = Date.now();', '`Date.now` is the clock'],
  ['src/cli/x.ts', 'const t = new Date();', '`new Date()` is the clock'],
  ['src/cli/x.ts', 'const { now } = Date;', '`Date` is the clock'],
  ['src/cli/x.ts', "const t = Date['now']();", '`Date` is the clock'],
  ['src/cli/x.ts', 'const t = performance.now();', '`performance` is the clock'],
  ['src/cli/x.ts', 'const t = process.hrtime.bigint();', '`process.hrtime` is the clock'],
  ['src/cli/x.ts', 'setTimeout(f, 1);', '`setTimeout` is the clock'],
  ['src/cli/x.ts', 'const s = AbortSignal.timeout(1);', 'is the clock'],
  ['src/cli/x.ts', "import { setTimeout as wait } from 'node:timers/promises';", 'is the clock'],
  ['src/world/x.ts', 'const t = Date.now();', 'used only in world/system.ts'],
  ['src/policy/x.ts', 'new Intl.NumberFormat();', 'used only in expression/time-functions.ts, console'],
  ['src/cli/x.ts', 'const r = Math.random();', '`Math.random` is randomness'],
  ['src/cli/x.ts', 'const { random } = Math;', '`Math` is randomness'],
  ['src/ledger/x.ts', "import { randomBytes } from 'node:crypto';", 'randomBytes` is randomness'],
  ['src/ledger/x.ts', "import * as hash from 'node:crypto';", 'is randomness'],
  ['src/ledger/x.ts', 'crypto.randomUUID();', '`crypto` is randomness'],
  ['src/cli/x.ts', "eval('1');", 'used nowhere'],
  ['src/cli/x.ts', "new Function('return 1');", 'used nowhere'],
  ['src/cli/x.ts', "import vm from 'node:vm';", 'used nowhere'],
  ['src/cli/x.ts', "import { createRequire } from 'node:module';", 'used nowhere'],
  ['src/cli/x.ts', "process.getBuiltinModule('vm');", 'used nowhere'],
  ['src/cli/x.ts', 'globalThis.setInterval(f, 1);', 'used nowhere'],
]);

test('what only looks like a power is not one', () => {
  const innocent = [
    'const a = new Date(ms); const b = Date.UTC(2026, 1); const c = x instanceof Date; let d: Date;',
    'const e = world.now(); const f = { fetch: 1, eval: 2 }; f.fetch; f.eval; Math.floor(1); x.setTimeout();',
    "// Date.now() eval() fetch()\nconst g = 'Math.random()';",
    "import { createHash } from 'node:crypto'; export { g as fetch };",
  ];
  for (const text of innocent) assert.deepEqual(powersStayHome([parseSource('src/cli/x.ts', text)]), []);
});

lawTest('no constructor is called as a function', constructorsAreNotCalled, sources, [
  ['src/cli/x.ts', "(() => {}).constructor('return 1')();", 'can generate code'],
]);

lawTest('floors 0 to 2 read no platform and never await [R-pure-centre]', pureFloorsStayPure, sources, [
  ['src/value/x.ts', "import { createHash } from 'node:crypto';", 'import no platform'],
  ['src/value/hash.ts', "import { readFileSync } from 'node:fs';", 'import no platform'],
  ['src/policy/x.ts', "import fs from 'fs';", 'import no platform'],
  ['src/tlog/x.ts', 'export async function a() {}', 'an async function'],
  ['src/tlog/x.ts', 'const a = await b;', '`await`'],
  ['src/tlog/x.ts', 'for await (const a of b) c(a);', '`await`'],
  ['src/value/x.ts', "Buffer.from('x');", '`Buffer`'],
  ['src/value/x.ts', 'let a: Buffer;', '`Buffer`'],
  ['src/policy/x.ts', 'const a = process.env;', '`process`'],
  ['src/program/x.ts', 'export type A = Promise<number>;', '`Promise`'],
  ['src/expression/x.ts', 'globalThis.a;', '`globalThis`'],
]);

test(`${FLOORS_PAGE} prints the floors as they are enforced`, () => {
  const page = readFileSync(join(ROOT, FLOORS_PAGE), 'utf8');
  assert.equal(page, withFloors(page), `${FLOORS_PAGE}:1: differs; run \`node test/floors.ts --write\``);
});
