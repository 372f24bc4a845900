/** A run as people and hosts may see it, from its entries. */

import { type JsonObject, type JsonValue, isJsonObject } from '../value/json.ts';
import { formatInstant } from '../value/time.ts';
import { type Wait, readStanding, readStarted } from './entry.ts';
import { type RunSource, entriesOf } from './load.ts';

/** What a run waits for; the end of its time in RFC 3339. */
export interface ShownWait extends Omit<Wait, 'expires'> {
  readonly expires?: string;
}

export interface RunView {
  readonly run: string;
  readonly program: string;
  readonly version: number;
  readonly digest: string;
  readonly principal: string;
  /** `running`, `suspended`, or how it ended. */
  readonly status: string;
  /** The step that it is at. */
  readonly step: string;
  /** The steps that it entered, in order. */
  readonly steps: readonly string[];
  readonly waits: readonly ShownWait[];
  /** What stands for everything that led here: src/runtime/snapshot.ts. */
  readonly snapshot: string;
  readonly started: string;
  readonly moved: string;
  /** Null until it is over, where its end gives none, and once it is erased. */
  readonly output: JsonValue;
  readonly because?: string;
  readonly failure?: JsonObject;
  readonly notUndone?: readonly JsonValue[];
  readonly spent?: JsonObject;
  /** Properties that were not proved when it was started. */
  readonly unproved?: readonly JsonValue[];
  readonly parent?: JsonObject;
}

/** Nothing when there is no such run. Throws `LedgerError`. */
export async function viewOf(ledger: RunSource, id: string): Promise<RunView | undefined> {
  const entries = await entriesOf(ledger, id);
  const [first] = entries;
  const started = first && readStarted(first[1]);
  const last = entries.at(-1)?.[1];
  const standing = last && readStanding(last);
  if (first === undefined || last === undefined || started === undefined || standing === undefined) return undefined;
  const { because, failure, notUndone, spent } = last;
  const { unproved, parent } = first[1];
  const output = (await ledger.body(id, 'output')) ?? null;
  return {
    run: id,
    program: started.name,
    version: started.version,
    digest: started.program,
    principal: started.principal,
    status: standing.status,
    step: standing.step,
    steps: entries.flatMap(([, entry]) => readStanding(entry)?.steps ?? []),
    waits: standing.waits.map(shownWait),
    snapshot: standing.snapshot,
    started: first[1].at,
    moved: last.at,
    output,
    ...(typeof because === 'string' ? { because } : {}),
    ...(isJsonObject(failure) ? { failure } : {}),
    ...(Array.isArray(notUndone) ? { notUndone } : {}),
    ...(isJsonObject(spent) ? { spent } : {}),
    ...(Array.isArray(unproved) ? { unproved } : {}),
    ...(isJsonObject(parent) ? { parent } : {}),
  };
}

function shownWait({ expires, ...wait }: Wait): ShownWait {
  return { ...wait, ...(expires === undefined ? {} : { expires: formatInstant(expires) }) };
}
