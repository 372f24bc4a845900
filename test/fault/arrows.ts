/** Every arrow of a call's life, the points at which a process can die on it, and what must be found afterwards. */

/** What is found after the process died. */
export interface Outcome {
  /** The call's state in the ledger before anything starts again; `nothing`, when the ledger does not know it. */
  readonly stored: string;
  /** What a new gateway tells who asks again under the same key: a code, else the state; `, replayed`. */
  readonly told: string;
  /** How often it was paid in the end. */
  readonly effects: number;
}

export interface Asked {
  readonly tool: string;
  readonly amount: number;
  readonly conduct: 'pay' | 'fail' | 'exit';
}

export interface Arrow {
  readonly name: string;
  readonly asked: Asked;
  /** Where the call is led before, by processes that nobody disturbs but for the one that leaves an intent behind. */
  readonly from?: 'parked' | 'approved' | 'expired' | 'intent' | 'sent';
  /** The command that goes along the arrow, for this call; else a gateway does that is asked for it. */
  readonly command?: (call: string) => readonly string[];
  /** The gateway goes along it as it starts, unasked. */
  readonly atStart?: true;
  /** The caller takes its request back in the same breath. */
  readonly cancels?: true;
  /** What an undisturbed caller is told at the arrow's end. */
  readonly passes: string;
  /** Passings of its points in a session before any call. */
  readonly passedBefore?: number;
  readonly points: Readonly<Record<string, Outcome>>;
}

const PAY: Asked = { tool: 'pay', amount: 100, conduct: 'pay' };
/** The answers to `initialize` and `tools/list`. */
const ANSWERS_BEFORE = 2;

function found(stored: string, told: string, effects: number): Outcome {
  return { stored, told, effects };
}

const PAID = found('succeeded', 'succeeded, replayed', 1);
/** Nothing of the proposal is left: it is made anew. */
const ANEW = found('nothing', 'succeeded', 1);

export const ARROWS: readonly Arrow[] = [
  {
    name: 'proposed → denied',
    asked: { ...PAY, amount: 13 },
    passes: 'denied-by-rule',
    points: {
      'call.denied/lost': found('nothing', 'denied-by-rule', 0),
      'call.denied/landed': found('denied', 'denied-by-rule', 0),
    },
  },
  {
    name: 'proposed → parked',
    asked: { ...PAY, amount: 500 },
    passes: 'asked',
    points: {
      'call.parked/lost': found('nothing', 'asked', 0),
      'call.parked/landed': found('parked', 'asked', 0),
    },
  },
  {
    name: 'parked → approved',
    asked: { ...PAY, amount: 500 },
    from: 'parked',
    command: (call) => ['approve', call],
    passes: 'asked',
    points: {
      'call.approved/lost': found('parked', 'asked', 0),
      'call.approved/landed': found('parked', 'succeeded', 1),
    },
  },
  {
    name: 'parked → refused',
    asked: { ...PAY, amount: 500 },
    from: 'parked',
    command: (call) => ['refuse', call, '--reason', 'no'],
    passes: 'asked',
    points: {
      'call.refused/lost': found('parked', 'asked', 0),
      'call.refused/landed': found('refused', 'approval-refused, replayed', 0),
    },
  },
  {
    name: 'parked → expired',
    asked: { ...PAY, amount: 501 },
    from: 'expired',
    passes: 'approval-expired',
    atStart: true,
    points: {
      'call.expired/lost': found('parked', 'approval-expired, replayed', 0),
      'call.expired/landed': found('expired', 'approval-expired, replayed', 0),
    },
  },
  {
    name: 'approved → intent',
    asked: { ...PAY, amount: 500 },
    from: 'approved',
    passes: 'succeeded',
    points: {
      'call.intent/lost': found('parked', 'succeeded', 1),
      'call.intent/landed': found('intent', 'outcome-unknown, replayed', 0),
    },
  },
  {
    name: 'proposed → intent',
    asked: PAY,
    passes: 'succeeded',
    points: {
      proposed: ANEW,
      'call.intent/lost': ANEW,
      'call.intent/landed': found('intent', 'outcome-unknown, replayed', 0),
    },
  },
  {
    name: 'intent → sent',
    asked: PAY,
    passes: 'succeeded',
    points: {
      'before-send': found('intent', 'outcome-unknown, replayed', 0),
      sent: found('intent', 'outcome-unknown, replayed', 1),
    },
  },
  {
    name: 'intent → not-started',
    asked: PAY,
    cancels: true,
    passes: 'cancelled',
    points: {
      'call.not-started/lost': found('intent', 'outcome-unknown, replayed', 0),
      'call.not-started/landed': found('not-started', 'succeeded', 1),
    },
  },
  {
    name: 'sent → succeeded',
    asked: PAY,
    passes: 'succeeded',
    points: {
      answered: found('intent', 'outcome-unknown, replayed', 1),
      'call.succeeded/lost': found('intent', 'outcome-unknown, replayed', 1),
      'call.succeeded/landed': PAID,
    },
  },
  {
    name: 'sent → failed',
    asked: { ...PAY, conduct: 'fail' },
    passes: 'failed',
    points: {
      'call.failed/lost': found('intent', 'outcome-unknown, replayed', 1),
      'call.failed/landed': found('failed', 'failed, replayed', 1),
    },
  },
  {
    name: 'sent → unknown',
    asked: { ...PAY, conduct: 'exit' },
    passes: 'outcome-unknown',
    points: {
      'call.unknown/lost': found('intent', 'outcome-unknown, replayed', 1),
      'call.unknown/landed': found('unknown', 'outcome-unknown, replayed', 1),
    },
  },
  {
    name: 'intent → unknown',
    asked: PAY,
    from: 'intent',
    atStart: true,
    passes: 'outcome-unknown, replayed',
    points: {
      'call.unknown/lost': found('intent', 'outcome-unknown, replayed', 0),
      'call.unknown/landed': found('unknown', 'outcome-unknown, replayed', 0),
    },
  },
  {
    name: 'succeeded → replied',
    asked: PAY,
    passes: 'succeeded',
    passedBefore: ANSWERS_BEFORE,
    points: { 'before-reply': PAID, replied: PAID },
  },
  {
    name: 'unknown → settled: executed',
    asked: { tool: 'pay_probed', amount: 100, conduct: 'exit' },
    passes: 'settled-executed, replayed',
    points: {
      'call.settled/lost': found('unknown', 'settled-executed, replayed', 1),
      'call.settled/landed': found('settled-executed', 'settled-executed, replayed', 1),
    },
  },
  {
    name: 'unknown → settled: not executed',
    asked: PAY,
    from: 'intent',
    command: (call) => ['settle', call, 'not-executed', '--reason', 'looked'],
    passes: 'succeeded',
    points: {
      'call.settled/lost': found('unknown', 'outcome-unknown, replayed', 0),
      'call.settled/landed': found('settled-not-executed', 'succeeded', 1),
    },
  },
  {
    name: 'unknown → intent (resent)',
    asked: { tool: 'pay_keyed', amount: 100, conduct: 'pay' },
    from: 'sent',
    passes: 'succeeded',
    points: {
      'call.intent/lost': found('unknown', 'succeeded', 1),
      'call.intent/landed': found('intent', 'succeeded', 1),
    },
  },
];
