/** The other side: a tool server that carries calls out, or not, and answers them, or not, and in its own time. */

import type { Performed } from '../../src/authority/answer.ts';
import type { Reach } from '../../src/authority/proposal.ts';
import { canonicalText } from '../../src/value/canonical.ts';
import type { JsonObject } from '../../src/value/json.ts';
import type { Attempt, Proposed } from './history.ts';
import type { Place } from './place.ts';
import { type Random, createRandom } from './random.ts';
import { OUTSIDE, type Owner } from './schedule.ts';

/** What the server makes of one message. */
interface Conduct {
  readonly effect: boolean;
  readonly effectMs: number;
  readonly reply: 'result' | 'error' | 'none';
  readonly replyMs: number;
  /** How often it answers: a duplicate means nothing. */
  readonly replies: number;
  /** The effect happens also when the process that asked dies before. */
  readonly survives: boolean;
}

function conductOf(random: Random): Conduct {
  const slow = (): number => random.below(random.pick([5, 50, 50, 400, 3_000]));
  const reply = random.chance(0.7) ? 'result' : random.pick(['error', 'none'] as const);
  return {
    effect: reply === 'result' || random.chance(0.5),
    effectMs: slow(),
    reply,
    replyMs: slow(),
    replies: random.chance(0.1) ? 2 : 1,
    survives: random.chance(0.5),
  };
}

export interface Sending {
  readonly place: Place;
  /** The process that sends. */
  readonly owner: Owner;
  readonly instance: string;
  readonly proposed: Proposed;
  readonly timeoutMs: number;
  readonly seed: number;
  /** The arguments that are sent. */
  readonly sent: JsonObject;
}

/** Sends the call of a proposal, as a transport does that keeps its contract or, rarely, that throws. */
export function perform(sending: Sending): Promise<Performed> {
  const { place, owner, proposed, timeoutMs } = sending;
  const random = createRandom(sending.seed ^ (proposed.sent * 0x51ed27));
  proposed.sent += 1;
  const attempt = place.dispatched(proposed, sending.instance, sending.sent);
  return new Promise((resolve, reject) => {
    const arrive = (ms: number, performed: Performed): void =>
      place.schedule.after(ms, owner, () => resolve(performed));
    if (random.chance(0.12)) return arrive(random.below(50), { kind: 'not-started', reason: 'refused' });
    if (random.chance(0.05)) {
      if (random.chance(0.5) && attempt !== undefined && doneBefore(attempt) === undefined) place.effected(attempt);
      return reject(new Error('the pipe broke'));
    }
    arrive(timeoutMs, { kind: 'unknown', reason: 'no answer came in time' });
    if (attempt !== undefined) deliver(sending, attempt, conductOf(random), resolve);
    return undefined;
  });
}

const REACHED_TIMEOUT_MS = 2_000;

/** How a gateway carries out what another process was asked for: the intent of its own that it has not sent. */
export function reachOf({ place, owner, instance }: Pick<Sending, 'place' | 'owner' | 'instance'>): Reach {
  // Those it sends as the proposal says.
  const isHeld = ({ session }: Attempt): boolean => {
    const proposed = place.history.proposals.get(session);
    return proposed?.owner === owner && proposed.gaveUp !== true;
  };
  return (tool) => ({
    timeoutMs: REACHED_TIMEOUT_MS,
    perform: (args) => {
      const [unsent, ...others] = [...place.history.attempts.values()].filter(
        (attempt) =>
          attempt.instance === instance && attempt.call.tool === tool && isFor(attempt, args) && !isHeld(attempt),
      );
      const proposed = unsent === undefined ? undefined : place.history.proposals.get(unsent.session);
      // Which of two equal ones this is cannot be told from here: then the pipe breaks.
      if (proposed === undefined || others.length > 0) return Promise.reject(new Error('the pipe broke'));
      place.figures.reached += 1;
      return perform({
        place,
        owner,
        instance,
        proposed,
        timeoutMs: REACHED_TIMEOUT_MS,
        seed: place.random.below(2 ** 31),
        sent: args,
      });
    },
  });
}

function isFor({ dispatches, ended, call }: Attempt, args: JsonObject): boolean {
  return dispatches === 0 && ended === undefined && canonicalText(call.args) === canonicalText(args);
}

function deliver(
  { place, owner }: Sending,
  attempt: Attempt,
  { effect, effectMs, reply, replyMs, replies, survives }: Conduct,
  resolve: (performed: Performed) => void,
): void {
  attempt.inFlight = true;
  place.schedule.after(effectMs, OUTSIDE, () => {
    attempt.inFlight = false;
    if (owner.state === 'dead' && !survives) return;
    const first = doneBefore(attempt);
    if (effect && first === undefined) place.effected(attempt);
    if (reply === 'none') return;
    const output = outputOf(first ?? attempt);
    attempt.reply = output;
    const kind = reply === 'result' || first !== undefined ? 'succeeded' : 'failed';
    for (let copy = 0; copy < replies; copy += 1) {
      place.schedule.after(replyMs, owner, () => resolve({ kind, output }));
    }
  });
}

/** The attempt with the same key that was carried out: it is answered with its result, and nothing is done again. */
function doneBefore({ call, key }: Attempt): Attempt | undefined {
  if (key === undefined) return undefined;
  return call.attempts.find((each) => each.key === key && each.effects > 0);
}

/** It charges half of what was reserved. */
function outputOf({ id, amount }: Attempt): JsonObject {
  return { structuredContent: { charged: Math.ceil(amount / 2), attempt: id } };
}
