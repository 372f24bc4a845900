/** A request of the policy, complete but for what no benchmark varies. */

import type { Request } from '../src/policy/decide/decision.ts';
import type { JsonObject } from '../src/value/json.ts';

/** `at` tells calls and their times apart. */
export function benchRequest(tool: string, args: JsonObject, at: number, principal = 'local'): Request {
  return {
    principal,
    tool,
    args,
    call: { id: `call${at}`, attempt: 1, key: '' },
    run: { id: 'bench', depth: 0 },
    now: 1_700_000_000_000 + at,
  };
}
