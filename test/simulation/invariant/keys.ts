/** Invariants of keys and twins: which calls may be open beside each other. */

import { canonicalText } from '../../../src/value/canonical.ts';
import { isJsonObject } from '../../../src/value/json.ts';
import { objectOf, textOf, textsOf, toolOf } from '../reading.ts';
import type { Invariant } from './invariant.ts';

const RELEASED: ReadonlySet<string> = new Set(['denied', 'refused', 'expired']);
const OPEN: ReadonlySet<string> = new Set(['intent', 'unknown']);

export const KEYS: readonly Invariant[] = [
  {
    name: 'key-held',
    promise: 'a key belongs to one call, until that call was refused or its approval expired',
    entry: ({ history }, entry) => {
      if (entry.type !== 'call.intent' && entry.type !== 'call.parked') return undefined;
      const call = textOf(entry, 'call');
      for (const key of textsOf(entry['keys'])) {
        const holder = history.holders.get(key);
        if (holder === undefined || holder.id === call || RELEASED.has(holder.state)) continue;
        return `call ${call} takes ${key} of call ${holder.id}, which is ${holder.state}`;
      }
      return undefined;
    },
  },
  {
    name: 'keys-recorded',
    promise: 'the keys of a proposal are consumed with its intent, in the same entry',
    entry: ({ history }, entry) => {
      if (entry.type !== 'call.intent' || entry['probes'] !== undefined) return undefined;
      const proposed = history.proposals.get(textOf(objectOf(entry, 'run'), 'id'));
      const isKeyed = toolOf(entry) === 'bank.pay' || toolOf(entry) === 'bank.post';
      const needed = (proposed?.key === undefined ? 0 : 1) + (isKeyed ? 1 : 0);
      const keys = textsOf(entry['keys']);
      return keys.length >= needed ? undefined : `expected ${needed} keys, got ${keys.length}`;
    },
  },
  {
    name: 'no-twin',
    promise: 'without a key, a call with effects does not run while an equal one runs or is unknown',
    entry: ({ history }, entry) => {
      if (entry.type !== 'call.intent' || textsOf(entry['keys']).length > 0) return undefined;
      if (objectOf(entry, 'tool')['effect'] === 'read') return undefined;
      const args = canonicalText(entry['args'] ?? {});
      for (const call of history.calls.values()) {
        if (!OPEN.has(call.state) || call.tool !== toolOf(entry) || call.id === entry['call']) continue;
        if (call.principal !== entry['principal'] || canonicalText(call.args) !== args) continue;
        return `call ${textOf(entry, 'call')} runs beside its twin ${call.id}, which is ${call.state}`;
      }
      return undefined;
    },
  },
  {
    name: 'same-call',
    promise: 'a recorded result is told only to who proposes the very same call',
    answer: ({ history }, proposed, answer) => {
      const call = history.calls.get(answer.call);
      if (call === undefined || answer.output === undefined) return undefined;
      if (call.principal !== proposed.principal) return `${proposed.session} is told the result of ${call.principal}`;
      const isSame = call.tool === proposed.tool && canonicalText(call.args) === canonicalText(proposed.args);
      return isSame ? undefined : `${proposed.session} is told the result of another call, ${call.id}`;
    },
  },
  {
    name: 'args-as-proposed',
    promise: 'an intent records the tool and the arguments that were proposed',
    entry: ({ history }, entry) => {
      if (entry.type !== 'call.intent' || entry['probes'] !== undefined) return undefined;
      const proposed = history.proposals.get(textOf(objectOf(entry, 'run'), 'id'));
      if (proposed === undefined) return `the intent of call ${textOf(entry, 'call')} is of no proposal`;
      const { args } = entry;
      const isSame = isJsonObject(args) && canonicalText(args) === canonicalText(proposed.args);
      return isSame && toolOf(entry) === proposed.tool ? undefined : `${proposed.session} was not recorded as proposed`;
    },
  },
];
