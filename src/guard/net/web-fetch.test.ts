import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { systemWorld } from '../../world/system.ts';
import type { NetOptions } from './fetch.ts';
import { webFetch } from './web-fetch.ts';

const OPTIONS: NetOptions = { reach: { private: true }, world: systemWorld, timeoutMs: 10_000, bytesMax: 1_000 };

test('a library that fetches goes through the guard, below its base and nowhere else', async () => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      asked.push(
        `${request.method} ${request.url} ${String(request.headers['x-key'])} ${Buffer.concat(parts).toString()}`,
      );
      response.writeHead(request.url === '/v1/empty' ? 204 : 429, { 'x-seen': 'yes' });
      response.end(request.url === '/v1/empty' ? undefined : 'slow down');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    const { request, last } = webFetch(`${host}/v1/`, () => OPTIONS);
    assert.equal(last(), undefined);
    const answer = await request(`${host}/v1/chat`, { method: 'POST', headers: { 'X-Key': 'k' }, body: 'hello' });
    assert.deepEqual([answer.status, answer.headers.get('x-seen'), await answer.text()], [429, 'yes', 'slow down']);
    const empty = await request(new URL(`${host}/v1/empty`));
    assert.deepEqual([empty.status, await empty.text()], [204, '']);
    assert.deepEqual(asked, ['POST /v1/chat k hello', 'GET /v1/empty undefined ']);

    for (const url of [`${host}/v2/chat`, `${host}/v1`, 'http://127.0.0.1:1/v1/chat', `https://${host.slice(7)}/v1/`]) {
      await assert.rejects(request(url), /not below its base/u, url);
    }
    await assert.rejects(request(`${host}/v1/chat`, { method: 'DELETE' }), /expected GET or POST/u);
    await assert.rejects(request(`${host}/v1/x`, { method: 'POST', body: new FormData() }), /a body that is no text/u);
    assert.equal(asked.length, 2, 'nothing else was sent');
    const closed = webFetch(`${host}/v1/`, () => ({ ...OPTIONS, reach: { private: false } }));
    await assert.rejects(closed.request(`${host}/v1/chat`), /private network/u);
    const refused = closed.last();
    assert.deepEqual(refused?.ok === false && [refused.code, refused.sent], ['address-private', false]);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
