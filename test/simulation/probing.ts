/** How a simulated gateway reaches the bank by itself: for what another process was asked, and to ask what became of it. */

import type { Performed } from '../../src/authority/answer.ts';
import type { Reach } from '../../src/authority/proposal.ts';
import type { JsonObject } from '../../src/value/json.ts';
import type { Place } from './place.ts';
import { textOf } from './reading.ts';
import type { Owner } from './schedule.ts';
import { reachOf } from './upstream.ts';

/** The tool that knows what became of a call. */
const PROBE = 'bank.seen';
const TIMEOUT_MS = 1_000;

interface Asking {
  readonly place: Place;
  readonly owner: Owner;
  readonly instance: string;
}

/** The bank is sometimes away. What it answers is true when it looks, and late, lost or no answer now and then. */
export function reachFrom(asking: Asking): Reach {
  const carry = reachOf(asking);
  return (tool) => {
    if (tool !== PROBE) return carry(tool);
    if (asking.place.random.chance(0.1)) return undefined;
    return { timeoutMs: TIMEOUT_MS, perform: (args) => look(asking, args) };
  };
}

function look({ place, owner, instance }: Asking, args: JsonObject): Promise<Performed> {
  const { random, schedule, history } = place;
  const charge = textOf(args, 'charge');
  const attempt = place.probed(instance, charge);
  const arrive = (ms: number, performed: () => Performed): Promise<Performed> =>
    new Promise((resolve) => {
      schedule.after(ms, owner, () => {
        const found = performed();
        if (attempt !== undefined && 'output' in found) attempt.reply = found.output;
        resolve(found);
      });
    });
  if (random.chance(0.1)) return arrive(TIMEOUT_MS, () => ({ kind: 'unknown', reason: 'no answer came in time' }));
  if (random.chance(0.1)) return arrive(5, () => ({ kind: 'not-started', reason: 'refused' }));
  const kind = random.chance(0.1) ? 'failed' : 'succeeded';
  // It looks at once, and the answer takes its time: an effect that comes meanwhile is not in it.
  const posted = [...history.calls.values()].filter(
    (call) => call.tool === 'bank.post' && call.args['charge'] === charge,
  );
  const effects = posted.flatMap(({ attempts }) => attempts).filter((each) => each.effects > 0).length;
  // What a tool says when it fails is nothing to go by.
  const seen = kind === 'failed' ? 1 - Math.min(1, effects) : effects;
  const count = random.chance(0.05) ? 'none of your business' : seen;
  return arrive(random.below(400), () => ({ kind, output: { structuredContent: { count } } }));
}
