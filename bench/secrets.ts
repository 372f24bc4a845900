/** How long it takes to look for secrets: in a megabyte of ordinary text, of what looks like some, and of hostile text. */

import { type SecretSearch, SecretSearchError, searchSecrets } from '../src/guard/secret/find.ts';
import { systemWorld } from '../src/world/system.ts';

const LENGTH = 1_000_000;
const RUNS = 7;

function filled(piece: string): string {
  return piece.repeat(Math.ceil(LENGTH / piece.length)).slice(0, LENGTH);
}

const TEXTS: Readonly<Record<string, string>> = {
  prose: filled('the quick brown fox asked for https://example.com/a?b=c and had no secret at all; a+b=c\n'),
  json: filled(JSON.stringify({ id: 17, name: 'a name', note: 'lorem ipsum dolor sit amet', url: 'https://x.org/17' })),
  base64: Buffer.from(Array.from({ length: LENGTH * 0.75 }, (_, n) => (n * 7_919 + n * n) & 255)).toString('base64'),
  'like a key of AWS': filled('SECRET_ACCESS_KEY = none, some text that follows it, and more of it\n'),
  'full of secrets': filled(`${['AKIA', 'QRSTUVWX23456789'].join('')} and ghp_${'aB3dE5gH7jK9'.repeat(3)} `),
  'hostile: addresses': filled(`http://a:${'b'.repeat(12)}@a.${'-'.repeat(256)}`),
  'hostile: dashes': filled('xoxb-a-'),
  'hostile: refused': filled('ghs_1_'),
};

function look(search: SecretSearch, text: string): string {
  try {
    return `${search(text).length} found`;
  } catch (error) {
    if (error instanceof SecretSearchError) return 'refused';
    throw error;
  }
}

for (const [name, text] of Object.entries(TEXTS)) {
  const times: number[] = [];
  let found = '';
  for (let run = 0; run < RUNS; run += 1) {
    const started = systemWorld.monotonic();
    found = look(searchSecrets(), text);
    times.push(systemWorld.monotonic() - started);
  }
  const median = times.toSorted((a, b) => a - b)[Math.floor(RUNS / 2)] ?? 0;
  console.log(`${name.padEnd(20)} ${median.toFixed(1).padStart(8)} ms  ${(text.length / 1e6).toFixed(1)} MB  ${found}`);
}
const small = systemWorld.monotonic();
for (let run = 0; run < 10_000; run += 1) searchSecrets()('the arguments of an ordinary call');
console.log(`${'an ordinary call'.padEnd(20)} ${((systemWorld.monotonic() - small) / 10).toFixed(1).padStart(8)} µs`);
