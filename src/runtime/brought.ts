/** An event with what it brought. That lies where it was recorded first: with a call, with a run, or in the entry itself. Pure. */

import type { RecordedResult } from '../authority/result.ts';
import type { RunEvent } from '../program/event.ts';
import { type JsonObject, type JsonValue, isJsonObject } from '../value/json.ts';
import { carriedOut } from './outcome.ts';

type Of<K extends RunEvent['kind']> = Extract<RunEvent, { readonly kind: K }>;

/** Whether a call's recorded result is part of the event. */
export function bringsResult(event: RunEvent): event is Of<'call'> | Of<'settled'> {
  return (event.kind === 'call' && event.end === 'succeeded') || (event.kind === 'settled' && event.as === 'executed');
}

/**
 * The event with the result of its call, of `tool`; nothing where that is gone, or was kept without its secrets. A
 * settlement may come without a result.
 */
export function withResult(
  event: Of<'call'> | Of<'settled'>,
  tool: string,
  result: RecordedResult,
): RunEvent | undefined {
  if (event.kind === 'settled' && result === undefined) return { ...event, output: carriedOut(tool, null) };
  if (result === undefined || result.redacted) return undefined;
  return { ...event, output: carriedOut(tool, result.value) };
}

/** The event of a program that was called, with the output of its end where that has one. */
export function withOutput(event: Of<'child'>, output: JsonValue | undefined): RunEvent {
  return { ...event, ...(output === undefined ? {} : { output }) };
}

/** The event with its payload, from the arguments of its entry; nothing where they are gone. */
export function withPayload(event: Of<'event'>, args: JsonValue | undefined): RunEvent | undefined {
  const payload = isJsonObject(args) ? args['payload'] : undefined;
  return payload === undefined ? undefined : { ...event, payload };
}

/** An event's payload stands as the one argument of its entry. */
export function payloadArgs(payload: JsonValue): JsonObject {
  return { payload };
}
