/** Events from outside: whether a run takes them, and what is recorded of those that none does. */

import { draft, recordedReason, recordedTool } from '../authority/draft.ts';
import { secretsIn } from '../authority/secret.ts';
import { checkValue } from '../schema/schema.ts';
import type { JsonValue } from '../value/json.ts';
import { payloadArgs } from './brought.ts';
import type { RuntimeOptions } from './deps.ts';
import type { LoadedRun } from './load.ts';

/** Why a payload is none for the event. */
export function eventProblem(
  { authority }: RuntimeOptions,
  { started, linked }: LoadedRun,
  event: string,
  payload: JsonValue,
): { readonly code: 'event-invalid' | 'secret-cannot-wait'; readonly message: string } | undefined {
  const [wrong] = checkValue(linked.program.events.get(event) ?? {}, payload);
  if (wrong !== undefined) {
    return {
      code: 'event-invalid',
      message: `what \`${event}\` brings ${wrong.message} at \`${wrong.pointer || '/'}\``,
    };
  }
  const { principal, id } = started;
  const call = { id: '', attempt: 1, key: '' };
  const request = { principal, tool: '', args: payloadArgs(payload), call, run: { id, depth: 0 }, now: 0 };
  const { places, problem } = secretsIn({}, authority.policy, request);
  if (places.size === 0 && problem === undefined) return undefined;
  return {
    code: 'secret-cannot-wait',
    message: `what \`${event}\` brings holds a secret, and a run may wait for days`,
  };
}

/** It moves nothing: a crash leaves the entry or none. What it names may be made up. */
export async function recordIgnored(
  { ledger, world }: RuntimeOptions,
  { run, event, code }: { readonly run: string; readonly event: string; readonly code: string },
): Promise<void> {
  const fields = { run: { id: recordedTool(run) }, event: recordedReason(recordedTool(event)), code };
  await ledger.append({ entries: [draft(world, 'program.ignored', fields)] });
}
