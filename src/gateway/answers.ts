/** The door's answers as MCP says them: results, errors, and the `_meta` that tells what became of a call. */

import type { Answer } from '../authority/answer.ts';
import { type JsonObject, type JsonValue, isJsonObject } from '../value/json.ts';
import { type RpcError, isRpcError } from './framing.ts';
import type { Outcome } from './peer.ts';

/** The code of a JSON-RPC error that stands for a denied method. */
export const DENIED = -32_010;

const OURS = 'interlock/';
const CALL = `${OURS}call`;
const DECISION = `${OURS}decision`;
const KEY = `${OURS}key`;
/** The member of a result's `_meta` that names the run of a program which a tool is. */
export const RUN: string = `${OURS}run`;
const KEY_CHARACTERS_MAX = 256;

/** The caller's idempotency key in a request's `_meta`; a text says why it cannot be one. */
export function keyIn(meta: JsonObject): { readonly key?: string } | string {
  if (!Object.hasOwn(meta, KEY)) return {};
  const key = meta[KEY];
  if (typeof key === 'string' && key !== '' && key.length <= KEY_CHARACTERS_MAX) return { key };
  return `expected \`_meta["${KEY}"]\` to be a string of 1 to ${KEY_CHARACTERS_MAX} characters`;
}

/** `meta` without what only we may say and only we may read. */
export function withoutOurs(meta: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(meta).filter(([name]) => !name.startsWith(OURS)));
}

/**
 * The answer to `tools/call`: what the tool said, or one sentence for the model. What a tool of our own says in `_meta`
 * stands.
 */
export function toolOutcome(answer: Answer, { isOwn = false }: { readonly isOwn?: boolean } = {}): Outcome {
  const { output } = answer;
  if (output === undefined) return { result: withMeta(said(sentenceOf(answer), true), answer) };
  const error = errorIn(answer, output);
  // What is not the server's own word, or not its word now, is a result that says so.
  if (error !== undefined && !answer.replayed && answer.decision === undefined)
    return { error: identified(error, answer) };
  if (error !== undefined) return { result: withMeta(said(error.message, true), answer) };
  const settled = answer.state === 'settled-executed' && !Array.isArray(output['content']);
  return {
    result: withMeta(
      settled ? { ...said(JSON.stringify(output), false), structuredContent: output } : output,
      answer,
      isOwn,
    ),
  };
}

/** The answer to any other decided method of the host. */
export function methodOutcome(answer: Answer): Outcome {
  const outcome = questionOutcome(answer);
  if ('result' in outcome) return { result: withMeta(outcome.result, answer) };
  return { error: identified(outcome.error, answer) };
}

/** The answer to a server that asked the host something: nothing of ours is added to a result. */
export function questionOutcome(answer: Answer): Outcome {
  const { output, decision } = answer;
  if (output !== undefined) {
    const error = errorIn(answer, output);
    return error === undefined ? { result: output } : { error };
  }
  const error: RpcError = {
    code: DENIED,
    message: sentenceOf(answer),
    ...(decision === undefined ? {} : { data: { ...decision } }),
  };
  return { error };
}

/** A JSON-RPC error is recorded as an output `{error}`; a tool that failed by itself says `isError`. */
function errorIn(answer: Answer, output: JsonObject): RpcError | undefined {
  const error = output['error'];
  return answer.state === 'failed' && output['isError'] !== true && isRpcError(error) ? error : undefined;
}

function sentenceOf({ call, state, sentence = `the call is ${state}` }: Answer): string {
  if (state !== 'unknown' || sentence.includes('interlock settle')) return sentence;
  return `${sentence}; whether it happened is unknown: interlock settle ${call} executed|not-executed --reason TEXT`;
}

function said(text: string, isError: boolean): JsonObject {
  return { content: [{ type: 'text', text }], ...(isError ? { isError } : {}) };
}

/** An error has no place for `_meta` but its `data`; data that is no object stands beside it as `value`. */
function identified(error: RpcError, { call: id, state, replayed }: Answer): RpcError {
  const { data } = error;
  const told = isJsonObject(data) ? data : data === undefined ? {} : { value: data };
  const meta = isJsonObject(told['_meta']) ? withoutOurs(told['_meta']) : {};
  return { ...error, data: { ...told, _meta: { ...meta, [CALL]: { id, state, replayed } } } };
}

function withMeta(result: JsonObject, { call: id, state, replayed, decision }: Answer, isOwn = false): JsonObject {
  const meta: JsonValue | undefined = result['_meta'];
  return {
    ...result,
    _meta: {
      ...(isJsonObject(meta) ? (isOwn ? meta : withoutOurs(meta)) : {}),
      [CALL]: { id, state, replayed },
      ...(decision === undefined ? {} : { [DECISION]: { ...decision } }),
    },
  };
}
