/** First trust: the definition under which a tool that no lock pins is first used stays the one it may have. */

import type { EntryDraft } from '../ledger/entry.ts';
import type { Composition, Facts, Ledger } from '../ledger/ledger.ts';
import { isTrustedOtherwise, isUntrusted } from '../policy/decide/decide.ts';
import type { TrustedPin } from '../policy/pin/pin.ts';
import type { Policy } from '../policy/policy.ts';
import { type ToolDefinition, defineTool, pinnedPart } from '../policy/tool/tool.ts';
import { canonicalBytes, canonicalText } from '../value/canonical.ts';
import { parseJson } from '../value/json.ts';
import { DEPTH_CEILING, ENTRY_BYTES_MAX } from '../value/limits.ts';
import type { World } from '../world/world.ts';
import { draft } from './draft.ts';

/** Room left in an entry for everything but the definition. */
const DEFINITION_BYTES_MAX = ENTRY_BYTES_MAX - 4_096;

/**
 * The entries that a first use of `tool` must be written with: the one that trusts it as it is, or none when that was
 * done before, or a lock pins it, or there is nothing to pin.
 */
export function firstTrust(world: World, policy: Policy, name: string, { values }: Facts): readonly EntryDraft[] {
  const tool = policy.tools.get(name);
  return tool !== undefined && isUntrusted(tool.pin, values) ? [trustedDraft(world, tool.definition)] : [];
}

/**
 * Trusts those of `tools` that were not trusted before. Answers whether some of them were, under another definition.
 * Throws `LedgerError`: then the first call of each is what trusts it.
 */
export function trustTools(ledger: Ledger, world: World, policy: Policy, tools: readonly string[]): Promise<boolean> {
  const known = tools.flatMap((name) => policy.tools.get(name) ?? []);
  const keys = known.flatMap(({ pin }) => pin.trustKey ?? []);
  // A crash leaves all of the entries, and with them the trust, or none.
  return ledger.transact({ facts: keys }, ({ values }): Composition<boolean> => {
    const result = known.some(({ pin }) => isTrustedOtherwise(pin, values));
    const fresh = known.filter(({ pin }) => isUntrusted(pin, values));
    if (fresh.length === 0) return { result };
    return { writes: { entries: fresh.map(({ definition }) => trustedDraft(world, definition)) }, result };
  });
}

/** Every tool that was trusted when it was first used, by policy name. Throws `LedgerError`. */
export async function trustedPins(ledger: Ledger): Promise<ReadonlyMap<string, TrustedPin>> {
  const pins = new Map<string, TrustedPin>();
  for (const { tool, digest, position } of await ledger.trusted()) {
    const entry = await ledger.entry(position);
    pins.set(tool, trustedPin(tool, digest, entry?.['definition']));
  }
  return pins;
}

/** The pin of an entry; `text` is what it says of the definition, which counts only when it is that of `digest`. */
export function trustedPin(tool: string, digest: string, text: unknown): TrustedPin {
  const parsed = typeof text === 'string' ? parseJson(text, { depthMax: DEPTH_CEILING }) : undefined;
  const defined = parsed?.ok === true ? defineTool(tool.slice(0, tool.indexOf('.')), parsed.value) : undefined;
  const isIt = defined?.ok === true && defined.tool.name === tool && defined.tool.digest === digest;
  return isIt ? { digest, definition: defined.tool } : { digest };
}

/** The definition stands as text, so that nothing in it can pass for a commitment or nest too deep. */
function trustedDraft(world: World, { name, digest, raw }: ToolDefinition): EntryDraft {
  const tool = { name, definition: digest };
  const definition = canonicalText(pinnedPart(raw));
  const fits = canonicalBytes(definition).length <= DEFINITION_BYTES_MAX;
  return draft(world, 'pin.trusted', fits ? { tool, definition } : { tool });
}
