/** Takes an entry into the history: the onlooker's own account of what entries mean, apart from the ledger's fold. */

import type { Entry } from '../../src/ledger/entry.ts';
import { isJsonObject } from '../../src/value/json.ts';
import type { Attempt, Call, History } from './history.ts';
import { amountOf, instantOf, isPriced, objectOf, textOf, textsOf, toolOf, windowOf } from './reading.ts';

/** `since`: the monotonic clock now, milliseconds. */
export function onlook(history: History, entry: Entry, since: number): void {
  history.entries.push(entry);
  if (entry.type === 'kill.set') history.kills.add(textOf(entry, 'target'));
  if (entry.type === 'kill.lifted') history.kills.delete(textOf(entry, 'target'));
  if (entry.type === 'policy.exception') history.exceptions.set(textOf(entry, 'exception'), entry);
  if (entry.type === 'policy.exception-ended') history.exceptions.delete(textOf(entry, 'exception'));
  if (!entry.type.startsWith('call.')) return;
  const call = callOf(history, entry);
  switch (entry.type) {
    case 'call.denied':
      call.state = 'denied';
      history.denied.add(textOf(objectOf(entry, 'run'), 'id'));
      return;
    case 'call.parked':
      hold(history, call, entry);
      call.question = entry;
      call.approvals = [];
      break;
    case 'call.approved': {
      const { signature } = entry;
      const approval = { by: textOf(entry, 'by'), digest: textOf(entry, 'digest') };
      call.approvals.push(typeof signature === 'string' ? { ...approval, signature } : approval);
      return;
    }
    case 'call.intent':
      hold(history, call, entry);
      intend(history, call, entry, since);
      break;
    case 'call.not-started':
    case 'call.succeeded':
    case 'call.failed':
    case 'call.unknown':
    case 'call.settled':
      end(history, entry);
      break;
    default:
      break;
  }
  call.state = entry.type === 'call.settled' ? `settled-${textOf(entry, 'as')}` : entry.type.slice('call.'.length);
}

function callOf(history: History, entry: Entry): Call {
  const id = textOf(entry, 'call');
  const known = history.calls.get(id);
  if (known !== undefined) return known;
  const { args } = entry;
  const call: Call = {
    id,
    principal: textOf(entry, 'principal'),
    tool: toolOf(entry),
    args: isJsonObject(args) ? args : {},
    keys: [],
    attempts: [],
    state: 'new',
    approvals: [],
  };
  history.calls.set(id, call);
  return call;
}

function hold(history: History, call: Call, entry: Entry): void {
  call.keys = textsOf(entry['keys']);
  for (const key of call.keys) history.holders.set(key, call);
}

function intend(history: History, call: Call, entry: Entry, since: number): void {
  const session = textOf(objectOf(entry, 'run'), 'id');
  const amount = amountOf(entry);
  const attempt: Attempt = {
    id: textOf(entry, 'attempt'),
    call,
    instance: textOf(entry, 'instance'),
    session,
    entry,
    amount,
    deadline: instantOf(entry, 'deadline'),
    since,
    ...(typeof entry['resends'] === 'string' ? { resends: entry['resends'] } : {}),
    dispatches: 0,
    effects: 0,
    inFlight: false,
    charge: 0,
  };
  call.attempts.push(attempt);
  history.attempts.set(attempt.id, attempt);
  // A probe is of the session that it looks after, and no proposal of it.
  if (entry['probes'] === undefined) history.intents.set(session, [...(history.intents.get(session) ?? []), attempt]);
  if (!isPriced(call.tool)) return;
  // Two attempts of which one at most had the effect cost once.
  const before = attempt.resends === undefined ? undefined : history.attempts.get(attempt.resends);
  if (before !== undefined) charge(history, before, 0);
  charge(history, attempt, amount);
}

/** Puts `amount` in the place of what the attempt was charged, in the window of its intent. */
function charge(history: History, attempt: Attempt, amount: number): void {
  const window = windowOf(attempt.call.principal, instantOf(attempt.entry, 'at'));
  history.spent.set(window, (history.spent.get(window) ?? 0) + amount - attempt.charge);
  attempt.charge = amount;
}

function end(history: History, entry: Entry): void {
  const attempt = history.attempts.get(textOf(entry, 'attempt'));
  if (attempt === undefined) return;
  const settled = entry.type === 'call.settled' ? `-${textOf(entry, 'as')}` : '';
  attempt.ended = `${entry.type}${settled}`;
  if (!isPriced(attempt.call.tool)) return;
  if (attempt.ended === 'call.not-started' || attempt.ended === 'call.settled-not-executed')
    charge(history, attempt, 0);
  const { charged } = entry;
  if (isJsonObject(charged)) for (const value of Object.values(charged)) charge(history, attempt, Number(value));
}
