/** What decisions are made from, written into the log with the first decision that is made from it. */

import { contentFields, contentKey } from '../ledger/content.ts';
import type { EntryDraft, EntryType } from '../ledger/entry.ts';
import type { Composition, Facts, Reads } from '../ledger/ledger.ts';
import type { Policy } from '../policy/compile.ts';
import { recordedConfiguration } from '../policy/recorded.ts';
import { pinnedPart } from '../policy/tool/tool.ts';
import { canonicalText } from '../value/canonical.ts';
import { type JsonObject, isJsonObject } from '../value/json.ts';
import type { World } from '../world/world.ts';
import { draft } from './draft.ts';
import type { ShadowState } from './layers.ts';

/** A value that an entry names by its digest. */
interface Content {
  readonly digest: string;
  readonly value: () => JsonObject;
}

/** The contents that a transaction may have to write. */
export type Basis = readonly Content[];

const NONE: Basis = [];
const DECISIONS: ReadonlySet<EntryType> = new Set<EntryType>(['call.denied', 'call.parked', 'call.intent']);

/** What decisions about `tools` name by digest, but for what is known to be in the log: `recorded`. */
export function basisOf(
  loaded: { readonly policy: Policy; readonly shadow?: ShadowState } | undefined,
  tools: readonly string[],
  recorded: ReadonlySet<string> = new Set(),
): Basis {
  if (loaded === undefined) return NONE;
  const { policy } = loaded;
  const named = [...layersOf(loaded), { digest: policy.catalog.digest, value: () => policy.catalog.data }];
  const asked = tools.flatMap((tool) => {
    const { probe, subjectCheck } = policy.tools.get(tool) ?? {};
    return [tool, probe?.tool, subjectCheck];
  });
  for (const name of new Set(asked)) {
    if (name === undefined) continue;
    const definition = policy.tools.get(name)?.definition;
    if (definition === undefined || !isListed(policy, name)) continue;
    named.push({ digest: definition.digest, value: () => pinnedPart(definition.raw) });
  }
  if (named.every(({ digest }) => recorded.has(digest))) return NONE;
  // A shadow may be the policy itself, and a probe may ask its own tool.
  const fresh = new Map(named.map((content) => [content.digest, content]));
  return [...fresh.values()].filter(({ digest }) => !recorded.has(digest));
}

/** The configurations that are in force from a `policy.loaded` on. */
function layersOf({ policy, shadow }: { readonly policy: Policy; readonly shadow?: ShadowState }): Content[] {
  return shadow?.kind === 'loaded' ? [configured(policy), configured(shadow.policy)] : [configured(policy)];
}

function configured({ digest, configuration }: Policy): Content {
  return { digest, value: () => recordedConfiguration(configuration.data) };
}

/** Methods, Interlock's own tools and those that the configuration describes follow from it. */
function isListed({ catalog }: Policy, name: string): boolean {
  const listed = catalog.data['tools'];
  return isJsonObject(listed) && Object.hasOwn(listed, name);
}

/** `reads`, and whether the contents are in the log. */
export function withBasisReads(reads: Reads, basis: Basis): Reads {
  if (basis.length === 0) return reads;
  return { ...reads, facts: [...(reads.facts ?? []), ...basisReads(basis)] };
}

/** The facts that tell which of the contents are in the log. */
export function basisReads(basis: Basis): readonly string[] {
  return basis.map(({ digest }) => contentKey(digest));
}

/** The entries of the contents that `facts` do not know: a crash leaves them with the decision, or neither. */
export function basisDrafts(world: World, basis: Basis, { values }: Pick<Facts, 'values'>): readonly EntryDraft[] {
  const missing = basis.filter(({ digest }) => !values.has(contentKey(digest)));
  return missing.flatMap(({ digest, value }) =>
    contentFields(digest, canonicalText(value())).map((fields) => draft(world, 'policy.content', fields)),
  );
}

/** A composition with its basis in front, when a decision is among what it writes. */
export function withBasis<T>(
  world: World,
  basis: Basis,
  facts: Pick<Facts, 'values'>,
  composition: Composition<T>,
): Composition<T> {
  const { writes } = composition;
  if (basis.length === 0 || writes === undefined || !decides(writes.entries)) return composition;
  return { ...composition, writes: { ...writes, entries: [...basisDrafts(world, basis, facts), ...writes.entries] } };
}

/** Whether a decision is among `entries`. */
export function decides(entries: readonly EntryDraft[]): boolean {
  return entries.some(({ type }) => DECISIONS.has(type));
}
