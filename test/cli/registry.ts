/** An npm registry with one package on a port of this machine, for the tests of what is installed. */

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Scratch } from './command.ts';

export interface Registry extends AsyncDisposable {
  /** What npm needs to know of it. */
  readonly environment: Readonly<Record<string, string>>;
  readonly integrity: () => string;
  /** Packs `files` as the package from now on. */
  readonly publish: (files: Readonly<Record<string, string>>) => void;
}

/** Serves `name` in one `version`; its scripts, if they ever ran, would leave a file `ran` in `scratch`. */
export async function openRegistry(scratch: Scratch, name: string, version: string): Promise<Registry> {
  let archive = Buffer.alloc(0);
  const server: Server = createServer((request, response) => {
    if (request.url?.endsWith('.tgz') === true) return response.end(archive);
    if (decodeURIComponent(request.url ?? '') !== `/${name}`) return response.writeHead(404).end('{}');
    const dist = { tarball: `${address()}/package.tgz`, integrity: integrityOf(archive) };
    const manifest = { ...(JSON.parse(manifestText(scratch, name, version)) as object), dist };
    return response.end(JSON.stringify({ name, 'dist-tags': { latest: version }, versions: { [version]: manifest } }));
  });
  const address = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    environment: {
      PATH: process.env['PATH'] ?? '',
      HOME: scratch.path,
      npm_config_registry: address(),
      npm_config_cache: scratch.at('npm-cache'),
    },
    integrity: () => integrityOf(archive),
    publish: (files) => {
      scratch.write('pack/package/package.json', manifestText(scratch, name, version));
      for (const [file, text] of Object.entries(files)) scratch.write(`pack/package/${file}`, text);
      execFileSync('tar', ['-czf', 'package.tgz', 'package'], { cwd: scratch.at('pack') });
      archive = readFileSync(scratch.at('pack', 'package.tgz'));
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function manifestText(scratch: Scratch, name: string, version: string): string {
  const install = `node -e "require('fs').writeFileSync('${scratch.at('ran')}', 'x')"`;
  return JSON.stringify({
    name,
    version,
    bin: { other: 'other.js', files: 'server.js' },
    type: 'module',
    scripts: { install },
  });
}

function integrityOf(bytes: Buffer): string {
  return `sha512-${createHash('sha512').update(bytes).digest('base64')}`;
}
