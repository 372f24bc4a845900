import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer as createRawServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { createManualWorld } from '../../../test/manual-world.ts';
import { systemWorld } from '../../world/system.ts';
import { guardedFetch } from './fetch.ts';
import type { NetAnswer, NetOptions } from './fetch.ts';

interface Place extends AsyncDisposable {
  readonly port: number;
}

async function listening(server: Server): Promise<Place> {
  const open = new Set<Socket>();
  server.on('connection', (socket: Socket) => open.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      for (const socket of open) socket.destroy();
    });
  return { port, [Symbol.asyncDispose]: close };
}

function serving(listener: RequestListener): Promise<Place> {
  return listening(createServer(listener));
}

const OPTIONS: NetOptions = {
  reach: { private: true },
  world: systemWorld,
  timeoutMs: 10_000,
  bytesMax: 1_000,
  resolver: () => Promise.resolve(['127.0.0.1']),
};

function ask(url: string, options: Partial<NetOptions> = {}, body?: Uint8Array): Promise<NetAnswer> {
  return guardedFetch(
    { method: body === undefined ? 'GET' : 'POST', url, ...(body === undefined ? {} : { body }) },
    { ...OPTIONS, ...options },
  );
}

function codeOf(answer: NetAnswer): string {
  return answer.ok ? String(answer.status) : `${answer.code}${answer.sent ? ', sent' : ''}`;
}

test('a request arrives under its name, and its answer comes back whole', async () => {
  await using place = await serving((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      response.setHeader('X-Seen', [request.headers.host ?? '', request.url ?? '']);
      response.statusCode = 409;
      response.end(Buffer.concat(parts));
    });
  });
  const answer = await ask(`http://witness.example:${place.port}/a/b?c=d#e`, {}, Buffer.from('hello'));
  assert.ok(answer.ok);
  assert.equal(answer.status, 409);
  assert.equal(Buffer.from(answer.body).toString(), 'hello');
  assert.equal(answer.headers.get('x-seen'), `witness.example:${place.port}, /a/b?c=d`);
});

test('a name is looked up once: what it would answer the second time is never dialled', async () => {
  await using place = await serving((_request, response) => response.end());
  const answers = [['127.0.0.1'], ['169.254.169.254']];
  let asked = 0;
  const resolver = (): Promise<readonly string[]> => Promise.resolve(answers[asked++] ?? []);
  assert.equal(codeOf(await ask(`http://rebinding.example:${place.port}/`, { resolver })), '200');
  assert.equal(asked, 1);
});

test('of the addresses of a name only one that is allowed is dialled', async () => {
  await using place = await serving((_request, response) => response.end());
  const resolver = (): Promise<readonly string[]> => Promise.resolve(['169.254.169.254', 'nonsense', '127.0.0.1']);
  assert.equal(codeOf(await ask(`http://mixed.example:${place.port}/`, { resolver })), '200');
  const publicOnly = { resolver, reach: { private: false } };
  assert.equal(codeOf(await ask(`http://mixed.example:${place.port}/`, publicOnly)), 'address-forbidden');
  for (const nobody of [(): Promise<never> => Promise.reject(new Error('ENOTFOUND')), () => Promise.resolve([])]) {
    assert.equal(codeOf(await ask('http://nobody.example/', { resolver: nobody })), 'name-unresolvable');
  }
});

test('a redirect is told and not followed', async () => {
  let visits = 0;
  await using place = await serving((_request, response) => {
    visits += 1;
    response.writeHead(302, { location: '/elsewhere' }).end();
  });
  const answer = await ask(`http://127.0.0.1:${place.port}/`);
  assert.equal(codeOf(answer), 'redirected, sent');
  assert.match(answer.ok ? '' : answer.reason, /`\/elsewhere`/u);
  assert.equal(visits, 1);
});

test('an answer beyond its limit is cut off, whatever it says of its length', async () => {
  let written = 0;
  await using place = await serving((request, response) => {
    if (request.url === '/length') {
      response.writeHead(200, { 'content-length': '10' });
      response.end('0123456789');
      return;
    }
    const more = (): void => {
      while (!response.destroyed && written < 50_000_000) {
        written += 10_000;
        if (!response.write(Buffer.alloc(10_000))) return void response.once('drain', more);
      }
      response.end();
    };
    more();
  });
  assert.equal(codeOf(await ask(`http://127.0.0.1:${place.port}/length`, { bytesMax: 10 })), '200');
  assert.equal(codeOf(await ask(`http://127.0.0.1:${place.port}/length`, { bytesMax: 9 })), 'too-large, sent');
  assert.equal(codeOf(await ask(`http://127.0.0.1:${place.port}/`)), 'too-large, sent');
  assert.ok(written < 50_000_000, 'the connection was closed');
});

test('an answer of another type, or compressed, is refused', async () => {
  await using place = await serving((request, response) => {
    if (request.url === '/gzip') response.setHeader('content-encoding', 'gzip');
    else if (request.url !== '/none') response.setHeader('content-type', 'Text/Plain; charset=utf-8');
    response.end('x');
  });
  const at = `http://127.0.0.1:${place.port}`;
  assert.equal(codeOf(await ask(`${at}/`, { contentTypes: ['text/plain'] })), '200');
  assert.equal(codeOf(await ask(`${at}/`, { contentTypes: ['application/json'] })), 'content-type, sent');
  assert.equal(codeOf(await ask(`${at}/none`, { contentTypes: ['text/plain'] })), 'content-type, sent');
  assert.equal(codeOf(await ask(`${at}/gzip`)), 'content-type, sent');
});

test('whoever hangs is left when the time is up: resolver, headers, body', async () => {
  let arrived = Promise.withResolvers<void>();
  await using silent = await listening(createRawServer((socket) => void socket.once('data', () => arrived.resolve())));
  await using slow = await serving((_request, response) => {
    response.writeHead(200).write('x', () => arrived.resolve());
  });
  const hanging = (): Promise<never> => {
    arrived.resolve();
    return new Promise(() => undefined);
  };
  for (const [url, options, expected] of [
    ['http://hanging.example/', { resolver: hanging }, 'timeout'],
    [`http://127.0.0.1:${silent.port}/`, {}, 'timeout, sent'],
    [`http://127.0.0.1:${slow.port}/`, {}, 'timeout, sent'],
  ] as const) {
    arrived = Promise.withResolvers();
    const world = createManualWorld();
    const asked = ask(url, { world, ...options });
    let answered = false;
    void asked.then(() => (answered = true));
    await arrived.promise;
    world.advance(9_999);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(answered, false);
    world.advance(1);
    assert.equal(codeOf(await asked), expected, url);
  }
});

test('whoever leaves in the middle, answers nonsense or is not there, is told apart from an answer', async () => {
  await using leaving = await serving((_request, response) => {
    response.writeHead(200, { 'content-length': '10' }).write('123', () => response.destroy());
  });
  await using nonsense = await listening(createRawServer((socket) => void socket.end('SSH-2.0-nonsense\r\n')));
  await using boasting = await serving((_request, response) => {
    response.writeHead(200, { 'x-long': 'x'.repeat(20_000) }).end();
  });
  assert.equal(codeOf(await ask(`http://127.0.0.1:${leaving.port}/`)), 'broken, sent');
  assert.equal(codeOf(await ask(`http://127.0.0.1:${nonsense.port}/`)), 'broken, sent');
  assert.equal(codeOf(await ask(`http://127.0.0.1:${boasting.port}/`)), 'broken, sent');
  const gone = await serving(() => undefined);
  await gone[Symbol.asyncDispose]();
  assert.equal(codeOf(await ask(`http://127.0.0.1:${gone.port}/`)), 'unreachable');
});

test('whoever asked may leave before the time is up', async () => {
  await using silent = await listening(createRawServer(() => undefined));
  const leaving = new AbortController();
  const asked = ask(`http://127.0.0.1:${silent.port}/`, { signal: leaving.signal });
  leaving.abort();
  assert.match(codeOf(await asked), /^timeout/u);
  assert.equal(codeOf(await ask('http://127.0.0.1:1/', { signal: AbortSignal.abort() })), 'timeout');
});

test('the proxy of an environment is not used', async () => {
  await using place = await serving((_request, response) => response.end('direct'));
  const names = ['http_proxy', 'HTTP_PROXY', 'all_proxy', 'NODE_USE_ENV_PROXY'];
  for (const name of names) process.env[name] = name.startsWith('NODE') ? '1' : 'http://127.0.0.1:1';
  try {
    const answer = await ask(`http://127.0.0.1:${place.port}/`);
    assert.equal(answer.ok ? Buffer.from(answer.body).toString() : answer.reason, 'direct');
  } finally {
    for (const name of names) delete process.env[name];
  }
});

const OPENSSL = existsSync('/usr/bin/openssl') ? false : 'no openssl to make a certificate with';

test('a certificate must be trusted, and of the name that was asked for', { skip: OPENSSL }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'interlock-tls-'));
  try {
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const extension = 'subjectAltName=DNS:witness.example';
    const parts = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
    execFileSync('openssl', [...parts, '-keyout', key, '-out', cert, '-subj', '/CN=test', '-addext', extension], {
      stdio: 'ignore',
    });
    const certificate = readFileSync(cert, 'utf8');
    const server = createSecureServer({ key: readFileSync(key), cert: certificate }, (_, response) => response.end());
    await using place = await listening(server);
    assert.equal(codeOf(await ask(`https://witness.example:${place.port}/`)), 'unreachable', 'nobody vouches for it');
    const trusted = getCACertificates('default');
    setDefaultCACertificates([...trusted, certificate]);
    try {
      assert.equal(codeOf(await ask(`https://witness.example:${place.port}/`)), '200');
      assert.equal(codeOf(await ask(`https://other.example:${place.port}/`)), 'unreachable', 'of another name');
      assert.equal(codeOf(await ask(`https://127.0.0.1:${place.port}/`)), 'unreachable', 'of no address');
    } finally {
      setDefaultCACertificates(trusted);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
