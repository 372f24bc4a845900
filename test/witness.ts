/** A witness on loopback (C2SP tlog-witness), honest or not, written after the specification and with nothing of `src/tlog/witness`. */

import { createPublicKey, createPrivateKey, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { formatWitnessKey } from '../src/tlog/cosignature.ts';
import { parseVerifierKey } from '../src/tlog/note.ts';
import { verifyConsistency } from '../src/tlog/proof.ts';
import { toBase64 } from '../src/value/encoding.ts';
import { sha256 } from '../src/value/digest.ts';

/** How it lies, or fails: of the request that it is about to answer. */
export type Lie =
  | 'nothing'
  | 'another-root'
  | 'another-key'
  | 'no-lines'
  | 'refuses'
  | 'hangs'
  | 'huge'
  | 'conflicts'
  | 'conflicts-in-turn'
  | 'ahead'
  | 'differs'
  | 'redirects';

export interface TestWitness extends AsyncDisposable {
  /** Its key in one line, for a configuration. */
  readonly vkey: string;
  readonly url: string;
  /** The sizes that it cosigned, in order. */
  readonly cosigned: readonly number[];
  /** How many requests came. */
  asked(): number;
  lie(kind: Lie): void;
  /** Resolves once the witness has cosigned a tree of `size` or more, or has been asked `times` more. */
  reached(size: number): Promise<void>;
}

const NAME = 'witness.example/test';
const PKCS8_PREFIX = Uint8Array.of(0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20);
const SPKI_PREFIX = Uint8Array.of(0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0);
/** 2026-11-20T18:00:00Z in seconds. */
const SEEN_AT = 1_795_197_600;

function privateKey(seed: number): KeyObject {
  return createPrivateKey({
    key: Buffer.concat([PKCS8_PREFIX, Buffer.alloc(32, seed)]),
    format: 'der',
    type: 'pkcs8',
  });
}

function publicBytes(key: KeyObject): Uint8Array {
  return new Uint8Array(createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32));
}

/** A cosignature line on `text` at a fixed time. */
export function cosignatureLine(text: string, seed: number, name: string = NAME): string {
  const key = privateKey(seed);
  const id = sha256(Buffer.from(`${name}\n`), Uint8Array.of(4), publicBytes(key)).subarray(0, 4);
  const time = Buffer.alloc(8);
  time.writeBigUInt64BE(BigInt(SEEN_AT));
  const signature = sign(null, Buffer.from(`cosignature/v1\ntime ${SEEN_AT}\n${text}`), key);
  return `\u2014 ${name} ${toBase64(Buffer.concat([id, time, signature]))}\n`;
}

export function witnessKeyLine(seed: number, name: string = NAME): string {
  return formatWitnessKey({ name, publicKey: publicBytes(privateKey(seed)) });
}

interface Known {
  readonly size: number;
  readonly root: Uint8Array;
}

/** `logKeys` are the verifier keys of the logs it trusts; without any, it trusts whoever signs first. */
export async function startWitness(seed = 9, logKeys?: readonly string[]): Promise<TestWitness> {
  const seen = new Map<string, Known>();
  const cosigned: number[] = [];
  const waiting = new Set<{ readonly size: number; readonly resolve: () => void }>();
  let lie: Lie = 'nothing';
  let asked = 0;
  const open = new Set<Socket>();
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      asked += 1;
      if (request.method !== 'POST' || request.url !== '/add-checkpoint') return void response.writeHead(404).end();
      answer(Buffer.concat(parts).toString('utf8'), response);
    });
  });
  server.on('connection', (socket: Socket) => open.add(socket));

  const answer = (body: string, response: ServerResponse): void => {
    const [head = '', ...rest] = body.split('\n\n');
    const note = rest.join('\n\n');
    const [first = '', ...proof] = head.split('\n');
    const text = `${note.slice(0, note.indexOf('\n\n'))}\n`;
    const [origin = '', sizeText = '', rootText = ''] = text.split('\n');
    const [size, root] = [Number(sizeText), new Uint8Array(Buffer.from(rootText, 'base64'))];
    const before = seen.get(origin);
    if (dishonest(lie, { text, size }, response, asked)) return;
    const oldSize = Number(/^old (\d+)$/u.exec(first)?.[1] ?? 'NaN');
    if (!(oldSize <= size)) return void response.writeHead(400).end();
    if (logKeys !== undefined && !logKeys.some((key) => isSignedBy(note, text, key))) {
      return void response.writeHead(logKeys.some((key) => key.startsWith(`${origin}+`)) ? 403 : 404).end();
    }
    if (oldSize !== (before?.size ?? 0) || (before?.size === size && !Buffer.from(before.root).equals(root))) {
      response.writeHead(409, { 'content-type': 'text/x.tlog.size' }).end(`${before?.size ?? 0}\n`);
      return;
    }
    const hashes = proof.filter((line) => line !== '').map((line) => new Uint8Array(Buffer.from(line, 'base64')));
    const grown = before && { oldSize, size, oldRoot: before.root, root, proof: hashes };
    if (grown !== undefined && !verifyConsistency(grown)) return void response.writeHead(422).end();
    seen.set(origin, { size, root });
    cosigned.push(size);
    response.end(cosignatureLine(text, seed), () => {
      for (const one of waiting) if (one.size <= size && waiting.delete(one)) one.resolve();
    });
  };

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    vkey: witnessKeyLine(seed),
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    cosigned,
    asked: () => asked,
    lie: (kind) => (lie = kind),
    reached: (size) =>
      new Promise((resolve) => {
        if ((cosigned.at(-1) ?? 0) >= size) resolve();
        else waiting.add({ size, resolve });
      }),
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}

/** Answers as a witness that lies does; false when it is honest. */
function dishonest(
  lie: Lie,
  { text, size }: { readonly text: string; readonly size: number },
  response: ServerResponse,
  asked: number,
): boolean {
  const lines = text.split('\n');
  switch (lie) {
    case 'nothing':
      return false;
    case 'another-root':
      lines[2] = toBase64(new Uint8Array(32).fill(7));
      response.end(cosignatureLine(lines.join('\n'), 9));
      return true;
    case 'another-key':
      response.end(cosignatureLine(text, 8));
      return true;
    case 'no-lines':
      response.end('thank you\n');
      return true;
    case 'refuses':
      response.writeHead(403).end();
      return true;
    case 'hangs':
      return true;
    case 'huge':
      for (let part = 0; part < 100; part += 1) response.write('\u2014 x '.repeat(10_000));
      response.end();
      return true;
    case 'conflicts':
      response.writeHead(409).end('1\n');
      return true;
    case 'conflicts-in-turn':
      response.writeHead(409).end(`${(asked % 2) + 1}\n`);
      return true;
    case 'ahead':
      response.writeHead(409).end(`${size + 1_000}\n`);
      return true;
    case 'differs':
      response.writeHead(asked === 1 ? 409 : 422).end('1\n');
      return true;
    case 'redirects':
      response.writeHead(307, { location: 'http://169.254.169.254/' }).end();
      return true;
  }
}

function isSignedBy(note: string, text: string, vkey: string): boolean {
  const key = parseVerifierKey(vkey);
  if (key === undefined) return false;
  const spki = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, key.publicKey]), format: 'der', type: 'spki' });
  return note
    .slice(note.indexOf('\n\n') + 2)
    .split('\n')
    .filter((line) => line.startsWith(`\u2014 ${key.name} `))
    .some((line) => {
      const bytes = Buffer.from(line.slice(`\u2014 ${key.name} `.length), 'base64');
      return verify(null, Buffer.from(text), spki, bytes.subarray(4));
    });
}
