/** What a command came to, as the event that moves its run. */

import type { Answer } from '../authority/answer.ts';
import { recordedReason } from '../authority/draft.ts';
import { withoutIdentifiers } from '../guard/personal/identifier.ts';
import type { CallRow } from '../ledger/ledger.ts';
import { modelNameOf } from '../policy/tool/model.ts';
import { ASK } from '../policy/tool/own.ts';
import type { Policy } from '../policy/compile.ts';
import type { CallEnd, Command, CommandId, RunEvent } from '../program/event.ts';
import { modelToolName } from '../program/catalog.ts';
import { toolOutput } from '../program/tool-output.ts';
import { type JsonObject, type JsonValue, isJsonObject } from '../value/json.ts';
import type { RecordedEvent } from './entry.ts';

/** A command that is carried out by a call. */
export type Calling = Extract<Command, { readonly kind: 'call' | 'model' | 'ask' }>;

/** The call that carries out `command`. */
export function callOf(command: Calling): { readonly tool: string; readonly args: JsonObject } {
  switch (command.kind) {
    case 'call':
      return { tool: command.tool, args: command.args };
    case 'model': {
      const { model, prompt, outputs, schema } = command;
      const gate = {
        ...(outputs === undefined ? {} : { outputs: [...outputs] }),
        ...(schema === undefined ? {} : { schema }),
      };
      return { tool: modelToolName(model), args: { prompt, ...gate } };
    }
    case 'ask': {
      const { show, approvers, timeoutMs } = command;
      return { tool: ASK.name, args: { show, approvers, timeoutMs } };
    }
  }
}

/** What a recorded result means to the program: what a tool gave, or what a model said. */
export function carriedOut(tool: string, result: JsonValue): JsonValue {
  const output = toolOutput(result);
  const value = output.ok ? output.value : null;
  return modelNameOf(tool) !== undefined && isJsonObject(value) ? (value['text'] ?? null) : value;
}

/** The event of an answer; nothing while there is none yet. */
export function eventOf(
  policy: Policy | undefined,
  command: Calling,
  answer: Answer,
  attempts: number,
): RecordedEvent | undefined {
  const { call: of } = answer;
  // A parked call whose time is over is told with its decision.
  const state = answer.decision?.code === 'approval-expired' ? 'denied' : answer.state;
  if (state === 'running') return undefined;
  if (state === 'parked') return { event: { kind: 'waits', command: command.id }, of };
  if (command.kind === 'ask') return { event: { kind: 'answer', command: command.id, answer: answerTo(answer) }, of };
  if (state !== 'succeeded' && state !== 'settled-executed') {
    // What a model took of a failure counts as well.
    return { event: { ...ended(command, state, attempts, answer), ...usageOf(command, answer.output ?? {}) }, of };
  }
  const result = answer.output ?? {};
  const outputSchema = command.kind === 'call' ? policy?.tools.get(command.tool)?.definition.outputSchema : undefined;
  const checked = toolOutput(result, outputSchema);
  if (!checked.ok) return { event: { ...ended(command, 'failed', attempts, answer), message: checked.message }, of };
  // What a tool of this process does to what it gave must not change what the run remembers.
  const output = structuredClone(carriedOut(callOf(command).tool, result));
  return { event: { ...ended(command, 'succeeded', attempts, answer), output, ...usageOf(command, result) }, of };
}

type CallEvent = Extract<RunEvent, { readonly kind: 'call' }>;

function ended({ id }: Calling, end: CallEnd, attempts: number, answer: Answer): CallEvent {
  const said = answer.decision === undefined ? answer.sentence : `${answer.decision.code}: ${answer.sentence ?? ''}`;
  return {
    kind: 'call',
    command: id,
    end,
    ...(end === 'succeeded' || said === undefined ? {} : { message: recordedReason(withoutIdentifiers(said)) }),
    attempts,
  };
}

/** What is not a clear yes is none. */
function answerTo({ state, decision }: Answer): 'yes' | 'no' | 'expired' {
  if (state === 'succeeded' || state === 'settled-executed') return 'yes';
  return decision?.code === 'approval-expired' ? 'expired' : 'no';
}

/** The tokens and the cost that a model's result tells. */
export function usageOf(
  command: Calling,
  result: JsonObject,
): { readonly tokens?: number; readonly microUsd?: number } {
  if (command.kind !== 'model') return {};
  const content = isJsonObject(result['structuredContent']) ? result['structuredContent'] : {};
  const { input, output } = isJsonObject(content['tokens']) ? content['tokens'] : {};
  return { tokens: countOf(input) + countOf(output), microUsd: countOf(content['microUsd']) };
}

function countOf(value: JsonValue | undefined): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : 0;
}

/** The event of a call that was unknown and is settled; `result` is what the settlement brought. */
export function settledEvent(command: CommandId, row: CallRow, result: JsonValue | undefined): RecordedEvent {
  const of = row.id;
  if (row.state !== 'settled-executed') return { event: { kind: 'settled', command, as: 'not-executed' }, of };
  return { event: { kind: 'settled', command, as: 'executed', output: carriedOut(row.tool, result ?? null) }, of };
}

/** The event of a call that was not approved; nothing of others, which the authority knows more of. */
export function unapprovedEvent(id: CommandId, row: CallRow): RecordedEvent | undefined {
  const of = row.id;
  if (row.state !== 'refused' && row.state !== 'expired') return undefined;
  const answer = row.state === 'refused' ? 'no' : 'expired';
  if (row.tool === ASK.name) return { event: { kind: 'answer', command: id, answer }, of };
  const message = row.state === 'refused' ? 'approval-refused' : 'approval-expired';
  return { event: { kind: 'call', command: id, end: 'denied', message }, of };
}
