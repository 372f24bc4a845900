/** The tools that a policy was made with, as the log holds them: names, digests, and how each stands to its pin. */

import { type Digest, digestOf } from '../../value/digest.ts';
import type { JsonObject } from '../../value/json.ts';
import type { PinState } from './pin.ts';
import type { ToolDefinition } from '../tool/tool.ts';

/** Decisions name it by its digest. */
export interface Catalog {
  readonly digest: Digest;
  /** Digests of definitions by name, how each stands to its pin, and the servers of which that is all. */
  readonly data: JsonObject;
}

/** How a tool stands to its pin, in a word; the rest is told to people only. */
type Standing = 'first' | 'changed' | 'gone';

const STATES: Readonly<Record<Standing, (trustKey: string) => PinState>> = {
  first: (trustKey) => ({ trustKey }),
  changed: () => ({ quarantine: 'its definition was not the one that was reviewed' }),
  gone: () => ({ quarantine: 'its server did not offer it any more', isGone: true }),
};

/** Of tools that are offered or pinned, by name; `complete` are the servers that offer no others. */
export function catalogOf(
  tools: ReadonlyMap<string, ToolDefinition>,
  pins: ReadonlyMap<string, PinState>,
  complete: Iterable<string>,
  lock: Digest | undefined,
): Catalog {
  const listed = [...pins].map(([name, pin]) => {
    const standing = standingOf(pin);
    const definition = tools.get(name)?.digest ?? '';
    return [name, standing === undefined ? { definition } : { definition, pin: standing }] as const;
  });
  const data = {
    complete: [...new Set(complete)].toSorted(),
    ...(lock === undefined ? {} : { lock }),
    tools: Object.fromEntries(listed),
  };
  return { digest: digestOf(data), data };
}

function standingOf({ trustKey, quarantine, isGone }: PinState): Standing | undefined {
  if (trustKey !== undefined) return 'first';
  if (quarantine === undefined) return undefined;
  return isGone === true ? 'gone' : 'changed';
}

/** The state that a catalog says of a tool; `trustKey` is its own. */
export function recordedState(standing: unknown, trustKey: string): PinState {
  return standing === 'first' || standing === 'changed' || standing === 'gone' ? STATES[standing](trustKey) : {};
}
