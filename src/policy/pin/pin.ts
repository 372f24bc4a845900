/** Pins: what was reviewed, or first trusted, of a tool's definition, and how the live one stands to it. */

import type { Configuration } from '../document/configuration.ts';
import { changesOf, changeText } from './definition-change.ts';
import { pinKey } from '../meter/fact.ts';
import type { FactValues } from '../meter/fact.ts';
import { isMethodName } from '../tool/method.ts';
import type { Lock } from './lock.ts';
import type { ToolDefinition } from '../tool/tool.ts';

/** A definition that was trusted when it was first seen, as the ledger has it. */
export interface TrustedPin {
  readonly digest: string;
  /** Absent where it is too large for its entry. */
  readonly definition?: ToolDefinition;
}

/** Everything that is pinned, wherever it is written. */
export interface Pins {
  readonly lock?: Lock;
  /** By policy name; the lock's word is the last. */
  readonly trusted?: ReadonlyMap<string, TrustedPin>;
  /** Of a policy that is made again: how each tool stood to its pin, by policy name; nothing else counts then. */
  readonly states?: ReadonlyMap<string, PinState>;
}

/** How a tool stands to its pin. */
export interface PinState {
  /** Why every call of it is denied `pin-changed`, as a clause: "its description changed". */
  readonly quarantine?: string;
  /** Its server is known not to offer it any more. */
  readonly isGone?: true;
  /** No lock pins it: the fact under this key says whether its definition is the one that was first trusted. */
  readonly trustKey?: string;
  /** The definition that a host may be shown instead of a live one that is another; absent when there is none. */
  readonly reviewed?: ToolDefinition;
  /** What the live definition changed in the trusted one, as far as is known here: the fact decides. */
  readonly departs?: string;
}

/** A tool that is known: the definition it is judged by, and how it stands to its pin. */
export interface PinnedTool {
  readonly tool: ToolDefinition;
  readonly pin: PinState;
}

const SINCE = 'since it was first trusted';
const FREE: PinState = Object.freeze({});

/** The tools of the servers of `configuration` as they are pinned, offered, or both, by policy name. */
export function pinTools(
  configuration: Configuration,
  listed: ReadonlyMap<string, ToolDefinition>,
  complete: ReadonlySet<string>,
  { lock, trusted, states }: Pins,
): ReadonlyMap<string, PinnedTool> {
  if (states !== undefined) {
    return new Map([...listed].map(([name, tool]) => [name, { tool, pin: states.get(name) ?? FREE }]));
  }
  const tools = new Map<string, PinnedTool>();
  for (const [id, { tools: locked }] of lock?.servers ?? []) {
    if (!configuration.servers.has(id)) continue;
    for (const [own, tool] of locked) {
      if (!isMethodName(own))
        tools.set(tool.name, { tool, pin: lockedState(tool, listed.get(tool.name), complete.has(id)) });
    }
  }
  for (const [name, tool] of listed) {
    if (!tools.has(name)) tools.set(name, { tool, pin: unlockedState(configuration, tool, trusted?.get(name)) });
  }
  return tools;
}

function lockedState(pinned: ToolDefinition, live: ToolDefinition | undefined, isListKnown: boolean): PinState {
  if (live === undefined) {
    return isListKnown ? { quarantine: 'its server does not offer it any more', isGone: true, reviewed: pinned } : FREE;
  }
  if (live.digest === pinned.digest) return FREE;
  return { quarantine: `${changeText(changesOf(pinned, live))} since it was pinned`, reviewed: pinned };
}

function unlockedState({ pins }: Configuration, live: ToolDefinition, trusted: TrustedPin | undefined): PinState {
  if (pins.first === 'ask') return { quarantine: 'nobody has reviewed its definition yet' };
  const trustKey = pinKey(live.name, live.digest);
  if (trusted === undefined || trusted.digest === live.digest) return { trustKey };
  const { definition } = trusted;
  if (definition === undefined) return { trustKey, departs: `its definition changed ${SINCE}` };
  return { trustKey, departs: `${changeText(changesOf(definition, live))} ${SINCE}`, reviewed: definition };
}

/** Whether nothing is pinned yet of a tool that is trusted by its first use. */
export function isUntrusted({ trustKey }: PinState, facts: FactValues): boolean {
  return trustKey !== undefined && (facts.get(trustKey) ?? 0) === 0;
}

/** Whether a tool was first trusted under another definition; what is no such fact is taken for one. */
export function isTrustedOtherwise({ trustKey }: PinState, facts: FactValues): boolean {
  const known = trustKey === undefined ? 0 : (facts.get(trustKey) ?? 0);
  return known !== 0 && known !== 1;
}

/** Names of servers of which the lock holds every tool. */
export function lockedWhole(configuration: Configuration, lock: Lock | undefined): ReadonlySet<string> {
  const whole = [...(lock?.servers ?? [])].filter(([id, { complete }]) => complete && configuration.servers.has(id));
  return new Set(whole.map(([id]) => id));
}
