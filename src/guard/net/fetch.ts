/** The one way out over HTTP: resolve once, classify, dial what was classified, and believe nothing of the answer's size. */

import type { Client, Dispatcher, buildConnector } from 'undici';
import type { World } from '../../world/world.ts';
import { addressRefusal, canonicalAddress } from './address.ts';
import type { Reach } from './address.ts';
import { refuse } from './answer.ts';
import type { NetCode, NetRefusal } from './answer.ts';
import { resolveTarget, systemResolver } from './resolve.ts';
import type { Resolver } from './resolve.ts';
import { readTarget } from './target.ts';
import type { NetTarget } from './target.ts';

const HEADER_BYTES_MAX = 16 * 1024;

export interface NetRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

export interface NetOptions {
  readonly reach: Reach;
  readonly world: World;
  /** For all of it, from the look-up of the name to the last byte, milliseconds. */
  readonly timeoutMs: number;
  /** Of the answer's body. */
  readonly bytesMax: number;
  /** Media types that are taken, without parameters; without it any, and none. */
  readonly contentTypes?: readonly string[];
  /** Ends it early, as `timeoutMs` does. */
  readonly signal?: AbortSignal;
  /** By default that of the machine. */
  readonly resolver?: Resolver;
}

export type NetAnswer =
  | {
      readonly ok: true;
      readonly status: number;
      /** By lower-case name; of a header that came several times, the values with `, ` between them. */
      readonly headers: ReadonlyMap<string, string>;
      readonly body: Uint8Array;
    }
  /** `sent` says whether a byte of the request may have left: then the other side may have acted on it. */
  | (NetRefusal & { readonly sent: boolean });

/** A refusal on its way up through a library that knows errors only. */
class Refused extends Error {
  override readonly name = 'Refused';
  readonly refusal: NetRefusal;
  constructor(refusal: NetRefusal) {
    super(refusal.reason);
    this.refusal = refusal;
  }
}

/** The course of one request. */
interface Course {
  connected: boolean;
  expired: boolean;
}

/**
 * Makes one request and reads its answer; never rejects. No redirect is followed, no proxy of the environment used, no
 * connection shared with another request, and what the answer says of its own length is not believed.
 */
export async function guardedFetch(request: NetRequest, options: NetOptions): Promise<NetAnswer> {
  const read = readTarget(request.url);
  if (!read.ok) return { ...read, sent: false };
  const ended = new AbortController();
  const course: Course = { connected: false, expired: false };
  const end = (): void => {
    course.expired = true;
    ended.abort();
  };
  const finished = new AbortController();
  options.signal?.addEventListener('abort', end, { once: true, signal: finished.signal });
  if (options.signal?.aborted === true) end();
  void options.world.sleep(options.timeoutMs, finished.signal).then(() => finished.signal.aborted || end());
  const expiry = new Promise<NetAnswer>((resolve) => {
    const late = (): void => resolve(failure('timeout', 'it took too long', course));
    if (ended.signal.aborted) late();
    else ended.signal.addEventListener('abort', late, { once: true });
  });
  try {
    return await Promise.race([exchange(read.target, request, options, course, ended.signal), expiry]);
  } finally {
    finished.abort();
  }
}

function failure(code: NetCode, reason: string, { connected }: Course): NetAnswer {
  return { ...refuse(code, reason), sent: connected };
}

async function exchange(
  target: NetTarget,
  request: NetRequest,
  options: NetOptions,
  course: Course,
  signal: AbortSignal,
): Promise<NetAnswer> {
  const resolved = await resolveTarget(target, options.reach, options.resolver ?? systemResolver);
  if (!resolved.ok) return { ...resolved, sent: false };
  if (signal.aborted) return failure('timeout', 'it took too long', course);
  const client = await dial(target, resolved.address, options, course);
  try {
    const { url } = target;
    const answer = await client.request({
      method: request.method,
      path: `${url.pathname}${url.search}`,
      headers: { 'accept-encoding': 'identity', ...request.headers },
      body: request.body ?? null,
      signal,
    });
    return await readAnswer(answer, options);
  } catch (error) {
    if (error instanceof Refused) return { ...error.refusal, sent: course.connected };
    if (course.expired) return failure('timeout', 'it took too long', course);
    const what = error instanceof Error ? error.message.split('\n', 1).join('').slice(0, 200) : 'it failed';
    return failure(course.connected ? 'broken' : 'unreachable', `\`${target.host}\`: ${what}`, course);
  } finally {
    await client.destroy();
  }
}

/** A client of one connection to `address`. The library looks up no name: it is handed the address, and it is checked. */
async function dial(target: NetTarget, address: string, options: NetOptions, course: Course): Promise<Client> {
  // Loaded where it is needed: most runs of the command never use the network.
  const undici = await import('undici');
  const timeout = options.timeoutMs;
  const connect = undici.buildConnector({ allowH2: false, maxCachedSessions: 0, keepAlive: false, timeout });
  const connector: buildConnector.connector = ({ protocol, port }, callback) => {
    const secure = protocol === 'https:' && !target.isAddress ? { servername: target.host } : {};
    connect({ protocol, port, hostname: address, host: target.url.host, ...secure }, (...args) => {
      const [error, socket] = args;
      if (error !== null) return callback(error, null);
      const refusal = peerRefusal(socket.remoteAddress, address, options.reach);
      if (refusal === undefined) {
        course.connected = true;
        return callback(null, socket);
      }
      socket.destroy();
      return callback(new Refused(refusal), null);
    });
  };
  return new undici.Client(target.url.origin, {
    connect: connector,
    pipelining: 1,
    maxHeaderSize: HEADER_BYTES_MAX,
    headersTimeout: timeout,
    bodyTimeout: timeout,
  });
}

function peerRefusal(remote: string | undefined, dialled: string, reach: Reach): NetRefusal | undefined {
  const peer = remote === undefined ? undefined : canonicalAddress(remote);
  if (peer !== dialled) return refuse('peer-differs', `dialled \`${dialled}\`, got \`${peer ?? 'nobody'}\``);
  return addressRefusal(peer, reach);
}

async function readAnswer(
  { statusCode, headers, body }: Dispatcher.ResponseData,
  options: NetOptions,
): Promise<NetAnswer> {
  const told = new Map(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')]),
  );
  if (statusCode >= 300 && statusCode < 400) {
    const to = told.get('location')?.slice(0, 200) ?? '';
    throw new Refused(refuse('redirected', `expected an answer, got a redirect (${statusCode}) to \`${to}\``));
  }
  checkContentType(told, options.contentTypes);
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of body as AsyncIterable<Uint8Array>) {
    length += part.length;
    if (length > options.bytesMax) {
      throw new Refused(refuse('too-large', `expected an answer of at most ${options.bytesMax} bytes, got more`));
    }
    parts.push(part);
  }
  return { ok: true, status: statusCode, headers: told, body: new Uint8Array(Buffer.concat(parts)) };
}

/** What is compressed has no type yet, and no size. */
function checkContentType(headers: ReadonlyMap<string, string>, types: readonly string[] | undefined): void {
  const encoding = headers.get('content-encoding') ?? 'identity';
  if (encoding !== 'identity') {
    throw new Refused(refuse('content-type', `expected an answer as it is, got one in \`${encoding.slice(0, 40)}\``));
  }
  const type = (headers.get('content-type') ?? '').split(';', 1).join('').trim().toLowerCase();
  if (types === undefined || types.includes(type)) return;
  throw new Refused(refuse('content-type', `expected ${types.join(' or ')}, got \`${type.slice(0, 80)}\``));
}
