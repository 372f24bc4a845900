/** Newline-delimited JSON-RPC 2.0: bytes into lines, lines into messages, and what is wrong with the rest. */

import { fromUtf8 } from '../value/encoding.ts';
import type { Issue } from '../value/issue.ts';
import { type JsonObject, type JsonValue, isJsonObject, parseJson } from '../value/json.ts';
import { JSON_LIMITS } from '../value/limits.ts';

/** The longest line that is read, in bytes without its newline. */
export const LINE_BYTES_MAX: number = JSON_LIMITS.bytesMax;

export const PARSE_ERROR = -32_700;
export const INVALID_REQUEST = -32_600;
export const METHOD_NOT_FOUND = -32_601;
export const INVALID_PARAMS = -32_602;
export const INTERNAL_ERROR = -32_603;

export type RequestId = string | number;

/** As it was sent, perhaps with `data`. */
export interface RpcError extends JsonObject {
  readonly code: number;
  readonly message: string;
}

/** A line that is no message. At most one of `request` and `response` is set. */
export interface Malformed {
  readonly kind: 'malformed';
  readonly code: typeof PARSE_ERROR | typeof INVALID_REQUEST;
  readonly reason: string;
  /** The id of the request it was meant to be, where there is no doubt about it. */
  readonly request?: RequestId;
  /** The id of the request it was meant to answer. */
  readonly response?: RequestId;
}

export type Message =
  | { readonly kind: 'request'; readonly id: RequestId; readonly method: string; readonly params: JsonObject }
  | { readonly kind: 'notification'; readonly method: string; readonly params: JsonObject }
  | { readonly kind: 'result'; readonly id: RequestId; readonly result: JsonValue }
  /** Without an `id` it answers nothing in particular. */
  | { readonly kind: 'error'; readonly id: RequestId | undefined; readonly error: RpcError }
  | Malformed;

/** A line without its newline, or the fact that one was longer than allowed and was dropped. */
export type Line = Uint8Array | 'too-long';

export interface LineSplitter {
  /** Calls `emit` for each line that `chunk` completes, in order. */
  push(chunk: Uint8Array): void;
  /** Emits what stands after the last newline, if anything does. */
  end(): void;
}

/** Holds at most `bytesMax` bytes; a longer line is reported once, when it grows too long, and skipped to its end. */
export function lineSplitter(emit: (line: Line) => void, bytesMax: number = LINE_BYTES_MAX): LineSplitter {
  let parts: Uint8Array[] = [];
  let size = 0;
  let skipping = false;
  const take = (piece: Uint8Array): void => {
    if (skipping || piece.length === 0) return;
    size += piece.length;
    if (size <= bytesMax) {
      parts.push(piece);
      return;
    }
    skipping = true;
    parts = [];
    emit('too-long');
  };
  const finish = (): void => {
    const [first, ...rest] = parts;
    const line = rest.length === 0 ? (first ?? new Uint8Array(0)) : Buffer.concat(parts);
    const skipped = skipping;
    parts = [];
    size = 0;
    skipping = false;
    if (!skipped) emit(line);
  };
  return {
    push(chunk) {
      let from = 0;
      for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, from)) {
        take(chunk.subarray(from, at));
        finish();
        from = at + 1;
      }
      take(chunk.subarray(from));
    },
    end() {
      if (size > 0) finish();
    },
  };
}

/**
 * The messages of one line: one, unless `arrays` are allowed and the line is one. An array that is not allowed is one
 * malformed line, and its members are never looked at.
 */
export function parseLine(line: Line, arrays = false): readonly Message[] {
  if (line === 'too-long') {
    return [malformed(INVALID_REQUEST, `the line is longer than ${LINE_BYTES_MAX} bytes`)];
  }
  const parsed = parseJson(line);
  if (!parsed.ok) return [refusedJson(line, parsed.issues[0])];
  if (Array.isArray(parsed.value) && arrays && parsed.value.length > 0) return parsed.value.map(classify);
  return [classify(parsed.value)];
}

/** What RFC 8259 calls JSON and we refuse; all else that does not parse is no JSON. */
const STRICTER: ReadonlySet<string> = new Set([
  'json-depth',
  'json-duplicate-key',
  'json-nodes',
  'json-number-range',
  'json-unsafe-integer',
]);

function refusedJson(line: Uint8Array, issue: Issue | undefined): Malformed {
  if (issue === undefined) return malformed(PARSE_ERROR, 'not strict JSON');
  const code = STRICTER.has(issue.code) ? INVALID_REQUEST : PARSE_ERROR;
  return { ...malformed(code, `${issue.message} (column ${issue.column})`), ...guessedId(line) };
}

function classify(value: JsonValue): Message {
  if (Array.isArray(value)) return malformed(INVALID_REQUEST, 'JSON-RPC batches (arrays) are not accepted');
  if (!isJsonObject(value)) return malformed(INVALID_REQUEST, 'expected a JSON-RPC object');
  const id = isId(value['id']) ? value['id'] : undefined;
  if (typeof value['method'] !== 'string' && !('method' in value)) return classifyResponse(value, id);
  const wrong = (reason: string): Malformed => ({
    ...malformed(INVALID_REQUEST, reason),
    ...(id === undefined ? {} : { request: id }),
  });
  const { method, params = {} } = value;
  if (value['jsonrpc'] !== '2.0') return wrong('expected `jsonrpc` to be "2.0"');
  if (typeof method !== 'string') return wrong('expected `method` to be a string');
  if (!isJsonObject(params)) return wrong('expected `params` to be an object');
  if (!Object.hasOwn(value, 'id')) return { kind: 'notification', method, params };
  if (id === undefined) return wrong('expected `id` to be a string or an integer');
  return { kind: 'request', id, method, params };
}

function classifyResponse(value: JsonObject, id: RequestId | undefined): Message {
  const wrong = (reason: string): Malformed => ({
    ...malformed(INVALID_REQUEST, reason),
    ...(id === undefined ? {} : { response: id }),
  });
  const { result, error } = value;
  if (value['jsonrpc'] !== '2.0') return wrong('expected `jsonrpc` to be "2.0"');
  if (result === undefined && error === undefined) return wrong('expected `method`, `result` or `error`');
  if (result !== undefined && error !== undefined) return wrong('expected `result` or `error`, got both');
  if (result !== undefined) {
    return id === undefined ? wrong('expected `id` to be a string or an integer') : { kind: 'result', id, result };
  }
  if (isRpcError(error)) return { kind: 'error', id, error };
  return wrong('expected `error` to have an integer `code` and a `message`');
}

export function isRpcError(value: JsonValue | undefined): value is RpcError {
  return isJsonObject(value) && Number.isSafeInteger(value['code']) && typeof value['message'] === 'string';
}

function malformed(code: Malformed['code'], reason: string): Malformed {
  return { kind: 'malformed', code, reason };
}

function isId(value: JsonValue | undefined): value is RequestId {
  return typeof value === 'string' || (typeof value === 'number' && Number.isSafeInteger(value));
}

/**
 * Whom a refused line concerns, so that the peer's waiting caller hears of it instead of timing out. A request's id is
 * taken only where every reader agrees on it: the line says `"id"` once, unescaped. To take a wrong one for a
 * response only leaves one more of the same peer's calls without an answer.
 */
function guessedId(line: Uint8Array): { request?: RequestId; response?: RequestId } {
  const text = fromUtf8(line);
  if (text === undefined) return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return {};
  }
  if (typeof value !== 'object' || value === null || !('id' in value)) return {};
  const id = value.id as JsonValue;
  if (!isId(id)) return {};
  if (!('method' in value)) return 'result' in value || 'error' in value ? { response: id } : {};
  return text.includes('\\u00') || text.split('"id"').length !== 2 ? {} : { request: id };
}
