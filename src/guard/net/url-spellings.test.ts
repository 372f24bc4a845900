import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { systemWorld } from '../../world/system.ts';
import { addressRefusal, canonicalAddress } from './address.ts';
import { guardedFetch } from './fetch.ts';
import type { NetAnswer } from './fetch.ts';
import { readTarget } from './target.ts';

const FOLDER = join(
  process.env['INTERLOCK_CORPORA'] ?? join(import.meta.dirname, '../../../../shared/corpora'),
  'ssrf',
);
const ABSENT = existsSync(FOLDER) ? false : `no corpora at ${FOLDER}; INTERLOCK_CORPORA names another place`;

interface Row {
  readonly id: string;
  readonly input: string;
  readonly label?: 'either' | 'must-allow' | 'must-block';
  readonly dns?: readonly string[] | null;
  readonly dns_sequence?: readonly (readonly string[])[] | null;
  readonly redirects?: readonly string[] | null;
  readonly base?: string | null;
  readonly expect_failure?: boolean;
  readonly hostname?: string;
}

function rows(name: string): Row[] {
  const lines = readFileSync(join(FOLDER, `${name}.jsonl`), 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Row);
}

/** Ways to write this machine, in URLs whose port is `P`. Whoever dials one of them arrives at the listener. */
const THIS_MACHINE = [
  'http://127.0.0.1:P/',
  'http://127.0.0.1.:P/',
  'http://2130706433:P/',
  'http://0x7f000001:P/',
  'http://0x7f.1:P/',
  'http://017700000001:P/',
  'http://0177.0.0.1:P/',
  'http://0177.0x0.0.1:P/',
  'http://127.1:P/',
  'http://127.0.1:P/',
  'http://127.2.3.4:P/',
  'http://0:P/',
  'http://0.0.0.0:P/',
  'http://[::1]:P/',
  'http://[0:0:0:0:0:0:0:1]:P/',
  'http://[::]:P/',
  'http://[::ffff:127.0.0.1]:P/',
  'http://[::ffff:7f00:1]:P/',
  'http://[::127.0.0.1]:P/',
  'http://[::ffff:0:127.0.0.1]:P/',
  'http://[64:ff9b::127.0.0.1]:P/',
  'http://[2002:7f00:1::]:P/',
  'http://[fe80::1%25lo]:P/',
  'http://localhost:P/',
  'http://LOCALHOST:P/',
  'http://localhost.:P/',
  'http://localhost..:P/',
  'http://a.localhost:P/',
  'http://this-machine.example:P/',
  'http://\u24db\u24de\u24d2\u24d0\u24db\u24d7\u24de\u24e2\u24e3:P/',
  'http://\uff11\uff12\uff17.0.0.1:P/',
  'http://127\u30020\u30020\u30021:P/',
  'http://127\uff0e0\uff0e0\uff0e1:P/',
  'http://127.0.0.1\u00ad:P/',
  'http://\u2488\u2489.0.1:P/',
  'http://loc%61lhost:P/',
  'http://%31%32%37.0.0.1:P/',
  'http://127.0.0.1%2e:P/',
  'http:127.0.0.1:P/',
  'http:/127.0.0.1:P/',
  'http:///127.0.0.1:P/',
  'http:\\\\127.0.0.1:P\\',
  'http://example.com\\@127.0.0.1:P/',
  'http://example.com@127.0.0.1:P/',
  'http://127.0.0.1:P\\@example.com/',
  'http://127.0.0.1:P#@example.com/',
  'http://127.0.0.1:P?@example.com/',
  'http://exa\tmple.com:P/',
  ' http://127.0.0.1:P/',
  'http://127.0.0.1:P/\u0000',
  'HTTP://127.0.0.1:P/',
  'https://127.0.0.1:P/',
  'ws://127.0.0.1:P/',
  'http://\u212aube.localhost:P/',
] as const;

describe('where URLs lead', () => {
  let connections = 0;
  const server = createServer((_request, response) => response.end('reached'));
  server.on('connection', () => (connections += 1));
  let port = 0;

  before(async () => {
    // On all addresses, so that every spelling of this machine would arrive.
    await new Promise<void>((resolve) => server.listen(0, '::', resolve));
    ({ port } = server.address() as AddressInfo);
  });
  after(() => server.close());

  function ask(url: string, reach = false, dns: readonly string[] = ['127.0.0.1', '::1']): Promise<NetAnswer> {
    return guardedFetch(
      { method: 'GET', url },
      {
        reach: { private: reach },
        world: systemWorld,
        timeoutMs: 5_000,
        bytesMax: 1_000,
        resolver: () => Promise.resolve(dns),
      },
    );
  }

  test('no spelling of this machine is reached, however it is written [R-net-spellings]', async () => {
    for (const spelling of THIS_MACHINE) {
      const answer = await ask(spelling.replace(':P', `:${port}`));
      assert.equal(answer.ok, false, spelling);
    }
    assert.equal(connections, 0);
  });

  test('where the operator allows it, this machine is reached under its plain names, and under no other', async () => {
    const reached: string[] = [];
    for (const spelling of THIS_MACHINE) {
      const answer = await ask(spelling.replace(':P', `:${port}`), true);
      if (answer.ok) reached.push(spelling);
    }
    assert.deepEqual(reached, [
      'http://127.0.0.1:P/',
      'http://127.2.3.4:P/',
      'http://[::1]:P/',
      'http://[0:0:0:0:0:0:0:1]:P/',
      'http://[::ffff:127.0.0.1]:P/',
      'http://[::ffff:7f00:1]:P/',
      'http://localhost:P/',
      'http://LOCALHOST:P/',
      'http://localhost.:P/',
      'http://a.localhost:P/',
      'http://this-machine.example:P/',
      'http://127.0.0.1:P#@example.com/',
      'http://127.0.0.1:P?@example.com/',
      'HTTP://127.0.0.1:P/',
    ]);
    assert.equal(connections, reached.length + 1, 'TLS arrived and did not speak it');
    connections = 0;
  });

  test('every hostile URL of the corpus is refused before anything is dialled', { skip: ABSENT }, async () => {
    const hostile = rows('hostile-urls').filter(({ label }) => label === 'must-block');
    const passed: string[] = [];
    for (const { id, input, dns, dns_sequence, redirects } of hostile) {
      const answers = dns_sequence?.[1] ?? dns ?? ['127.0.0.1'];
      const urls = redirects ?? [input];
      for (const url of urls) if ((await ask(url, false, answers)).ok) passed.push(`${id} ${url}`);
    }
    assert.deepEqual(passed, []);
    assert.ok(hostile.length > 100, `${hostile.length} rows`);
    assert.equal(connections, 0);
  });

  test('every benign URL of the corpus is read, and none is refused', { skip: ABSENT }, () => {
    const benign = rows('benign-urls');
    const refused = benign.filter(({ input }) => !readTarget(input).ok).map(({ input }) => input);
    assert.deepEqual(refused, []);
    assert.ok(benign.length > 400, `${benign.length} rows`);
  });

  test('what the guard reads as the host is what a browser reads, or it refuses', { skip: ABSENT }, () => {
    let read = 0;
    for (const { id, input, base, expect_failure, hostname } of rows('wpt-urltestdata')) {
      const target = readTarget(input);
      if (!target.ok) continue;
      read += 1;
      assert.equal(expect_failure, false, id);
      assert.equal(target.target.url.hostname, hostname, `${id} ${base ?? ''}`);
    }
    assert.ok(read > 50, `${read} read`);
  });

  test('every address of the corpus is told as its registry says', { skip: ABSENT }, () => {
    const wrong = rows('ip-literals').filter(({ input, label }) => {
      const address = canonicalAddress(input);
      const allowed = address !== undefined && addressRefusal(address, { private: false }) === undefined;
      return label !== 'either' && allowed !== (label === 'must-allow');
    });
    assert.deepEqual(
      wrong.map(({ id, input, label }) => `${id} ${input} ${label}`),
      [],
    );
  });
});

test('the Unicode form of a name is taken, what only folds to another name is not', () => {
  const host = (url: string): string => {
    const read = readTarget(url);
    return read.ok ? read.target.host : read.code;
  };
  assert.equal(host('https://b\u00fccher.example/'), 'xn--bcher-kva.example');
  assert.equal(host('https://B\u00dcCHER.example/'), 'xn--bcher-kva.example');
  assert.equal(host('https://bu\u0308cher.example/'), 'xn--bcher-kva.example', 'decomposed');
  assert.equal(host('https://fa\u00df.example/'), 'xn--fa-hia.example');
  assert.equal(host('https://xn--bcher-kva.example./x'), 'xn--bcher-kva.example');
  assert.equal(host('https://\uff45xample.com/'), 'url-ambiguous');
  assert.equal(host('https://\u212aelvin.example/'), 'url-ambiguous');
  assert.equal(host('https://example.com:99999/'), 'url-malformed');
  assert.equal(host('https://example.com:/'), 'url-malformed');
  assert.equal(host(`https://${'a'.repeat(64)}.example/`), 'url-malformed');
  assert.equal(host(`https://example.com/${'a'.repeat(9_000)}`), 'url-malformed');
  assert.equal(host('https://me:secret@example.com/'), 'url-userinfo');
  assert.equal(host('https://metadata.google.internal./'), 'name-forbidden');
  assert.equal(host('https://METADATA/'), 'name-forbidden');
});

test('cloud metadata is reached by nobody, not by who may reach private networks either', () => {
  for (const text of [
    '169.254.169.254',
    '::ffff:169.254.169.254',
    '100.100.100.200',
    '168.63.129.16',
    'fd00:ec2::254',
  ]) {
    const address = canonicalAddress(text) ?? assert.fail();
    assert.equal(addressRefusal(address, { private: true })?.code, 'address-forbidden', text);
  }
  for (const text of ['10.0.0.1', 'fd12::1', '169.254.1.1', '100.64.0.1', '127.0.0.1', '::1']) {
    assert.equal(addressRefusal(canonicalAddress(text) ?? '', { private: true }), undefined, text);
    assert.equal(addressRefusal(canonicalAddress(text) ?? '', { private: false })?.code, 'address-private', text);
  }
});
