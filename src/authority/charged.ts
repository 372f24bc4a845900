/** What an outcome says of its cost: the actual charge in place of what was reserved. */

import { settleCost, settleFailed } from '../policy/decide/decide.ts';
import type { Policy } from '../policy/policy.ts';
import { modelNameOf } from '../policy/tool/model.ts';
import type { JsonObject } from '../value/json.ts';
import type { Performed } from './answer.ts';
import type { Dispatch } from './compose.ts';

const NOTE_MAX = 512;

/**
 * The charge of an answered call by the operator's `actualCost`, or of a failed one by `failed: no-effect`; a model tells
 * what it took of a failure too. What cannot be told stays as reserved, and the entry says why; what exceeds its reservation is named in `overrun`.
 */
export function chargedFields({ policy, request, decision }: Dispatch, performed: Performed): JsonObject {
  if (decision.reservation === undefined) return {};
  if (performed.kind !== 'succeeded' && performed.kind !== 'failed') return {};
  const { reserved } = decision.reservation;
  const isTold = performed.kind === 'succeeded' || tellsFailures(policy, request.tool);
  const settled = isTold ? settleCost(policy, request, performed.output) : settleFailed(policy, request);
  const overrun = Object.keys(settled.charged).filter((key) => (settled.charged[key] ?? 0) > (reserved[key] ?? 0));
  return {
    ...(Object.keys(settled.charged).length === 0 ? {} : { charged: settled.charged }),
    ...(overrun.length === 0 ? {} : { overrun }),
    ...(settled.ok ? {} : { uncharged: settled.reason.slice(0, NOTE_MAX).toWellFormed() }),
  };
}

/** Whether what a tool answers has the same form when it fails: that of a model does. */
function tellsFailures({ tools }: Policy, name: string): boolean {
  return modelNameOf(name) !== undefined && tools.get(name)?.failedHasNoEffect !== true;
}
