/** Everything that is checked in every simulated world. */

import { AT_MOST_ONCE } from './at-most-once.ts';
import { CONSENT } from './consent.ts';
import { END } from './end.ts';
import { FLOODS } from './floods.ts';
import type { Invariant } from './invariant.ts';
import { KEYS } from './keys.ts';
import { LIMITS } from './limits.ts';
import { OUTCOMES } from './outcomes.ts';
import { REPEATS } from './repeats.ts';
import { SEALS } from './seals.ts';

export const INVARIANTS: readonly Invariant[] = [
  ...AT_MOST_ONCE,
  ...KEYS,
  ...OUTCOMES,
  ...REPEATS,
  ...CONSENT,
  ...LIMITS,
  ...SEALS,
  ...FLOODS,
  ...END,
];
