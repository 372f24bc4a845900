/** Settles a call of unknown outcome: somebody who knows says what happened, and that is recorded. */

import { contentText } from '../ledger/content-text.ts';
import type { CallRow, Composition, Ledger, SealedBody, Writes } from '../ledger/ledger.ts';
import type { Vault } from '../ledger/vault.ts';
import { checkValue } from '../schema/schema.ts';
import { type JsonObject, type JsonValue, isJsonObject, parseJson } from '../value/json.ts';
import { draft } from './draft.ts';
import { sealBody } from './personal.ts';
import type { Surroundings } from './prepare.ts';
import { type KeptOutput, NO_SECRETS, keptOutput, textWithoutSecrets } from './secret.ts';

export interface Settlement extends Omit<Finding, 'output'> {
  readonly call: string;
  /** As `Finding`, with whatever secrets it has. */
  readonly output?: JsonValue;
}

/** What became of an attempt, and how that is known. */
export interface Finding {
  readonly as: 'executed' | 'not-executed';
  /** What the call returned, as far as it is known; it answers later proposals under the same key. */
  readonly output?: KeptOutput;
  /** Who settles, recorded as a claim: `os:` and a user, `probe`, or `transport`. */
  readonly by: string;
  readonly reason: string;
}

/** `output-invalid`: the tool, as it was defined when the call was sent, could not have given the output. */
export type SettleCode = 'no-such-call' | 'not-unknown' | 'owner-alive' | 'output-invalid';

export type Settled =
  | { readonly ok: true; readonly row: CallRow }
  | { readonly ok: false; readonly code: SettleCode; readonly message: string };

/**
 * Moves an `unknown` call to settled. Refused while it is anything else, and `not-executed` also while the
 * instance that dispatched it lives: its answer may still arrive.
 */
export async function settle(
  ledger: Ledger,
  around: Pick<Surroundings, 'vault' | 'world' | 'searchSecrets'>,
  { call, output, ...said }: Settlement,
): Promise<Settled> {
  const before = await ledger.call(call);
  if (before === undefined) {
    return { ok: false, code: 'no-such-call', message: `there is no call \`${call}\` in this ledger` };
  }
  // One that runs yet may be unknown a moment later, and nobody would have looked whether its process lives.
  if (before.state !== 'unknown') return { ok: false, code: 'not-unknown', message: notUnknown(before) };
  if (said.as === 'not-executed' && (await ledger.isAlive(before.instance))) {
    const message = 'the process that sent this call still runs and may yet get its answer; stop it first';
    return { ok: false, code: 'owner-alive', message };
  }
  const wrong = output === undefined ? undefined : await outputProblem(ledger, before, output);
  if (wrong !== undefined) return { ok: false, code: 'output-invalid', message: wrong };
  const subjects = await subjectsOfRow(ledger, before);
  // What was declared secret of the call is not known here.
  const of = { tool: before.tool, secrets: NO_SECRETS };
  const kept = output === undefined ? {} : { output: keptOutput(around, undefined, of, output) };
  const clean = (text: string): string => textWithoutSecrets(around, undefined, NO_SECRETS, text);
  const finding = { ...said, reason: clean(said.reason), ...kept };
  return ledger.transact({ call }, ({ call: row }): Composition<Settled> => {
    // Another attempt than the one that was looked at has another owner.
    if (row?.state !== 'unknown' || row.attempt !== before.attempt) {
      return { result: { ok: false, code: 'not-unknown', message: notUnknown(row) } };
    }
    return { writes: settledWrites(around, row, finding, subjects), result: { ok: true, row } };
  });
}

/** What is wrong with an output; nothing where the log does not tell what the tool may give. */
async function outputProblem(ledger: Ledger, row: CallRow, output: JsonValue): Promise<string | undefined> {
  const intent = row.intent === undefined ? undefined : await ledger.entry(row.intent);
  const digest = isJsonObject(intent?.['tool']) ? intent['tool']['definition'] : undefined;
  const text = typeof digest === 'string' ? await contentText(ledger, digest) : undefined;
  const definition = text === undefined ? undefined : parseJson(text);
  const schema =
    definition?.ok === true && isJsonObject(definition.value) ? definition.value['outputSchema'] : undefined;
  if (!isJsonObject(schema)) return undefined;
  const structured = isJsonObject(output) ? output['structuredContent'] : undefined;
  // A host takes what there is. A program reads the output by its type, so that there must be one.
  const isForProgram = isJsonObject(intent?.['run']) && typeof intent['run']['program'] === 'string';
  if (structured === undefined && !isForProgram) return undefined;
  const [wrong] = checkValue(schema, structured ?? output);
  if (wrong === undefined) return undefined;
  const place = wrong.pointer || '/';
  return `the output is none of \`${row.tool}\`: its \`structuredContent\` ${wrong.message} at \`${place}\``;
}

function notUnknown(row: CallRow | undefined): string {
  const now = `only a call of unknown outcome can be settled; this one is \`${row?.state ?? 'gone'}\``;
  return row?.state === 'intent' ? `${now}: the process that runs it lives, wait for it or stop it` : now;
}

/** Under whose keys an outcome belongs that comes from elsewhere: whom the entry names, and whom the vault knows of. */
export async function subjectsOfRow(ledger: Ledger, row: CallRow): Promise<readonly string[]> {
  const entry = row.intent === undefined ? undefined : await ledger.entry(row.intent);
  const named: readonly JsonValue[] = Array.isArray(entry?.['subject']) ? entry['subject'] : [];
  const claims = named.filter((one) => typeof one === 'string');
  return [...new Set([...claims, ...(await ledger.subjectsOf(row.id))])];
}

/** The entry that settles the attempt of `row`; `charges` say what the attempt took. */
export function settledWrites(
  { vault, world }: Pick<Surroundings, 'vault' | 'world'>,
  row: CallRow,
  { as, by, reason, output }: Finding,
  subjects: readonly string[],
  charges: JsonObject = {},
): Writes {
  const sealed = output === undefined ? undefined : sealOutput(vault, row.id, output, subjects, row.keys.length > 0);
  const fields = { call: row.id, attempt: row.attempt, as, by, reason, ...charges, ...sealed?.fields };
  return { entries: [draft(world, 'call.settled', fields)], bodies: sealed?.bodies ?? [] };
}

/**
 * What an entry says of a result, and the bodies that it commits to. Where it holds secrets they are left out of what is
 * kept; as it came it is kept for a while where somebody may ask for it again (`isAskable`), under a key of its call.
 */
export function sealOutput(
  vault: Vault,
  call: string,
  { value, live, problem }: KeptOutput,
  subjects: readonly string[],
  isAskable: boolean,
): { readonly fields: JsonObject; readonly bodies: readonly SealedBody[] } {
  const sealed = sealBody(vault, call, 'output', { value, redacted: live !== undefined }, subjects);
  const output = { output: sealed.value };
  if (live === undefined || problem !== undefined || !isAskable) return { fields: output, bodies: sealed.bodies };
  const kept = sealBody(vault, call, 'live', { value: live }, [call, ...subjects]);
  return { fields: { ...output, live: kept.value }, bodies: [...sealed.bodies, ...kept.bodies] };
}
