/** What the gates of cost, limits and budgets say for themselves: what would help, and never how much there is. */

import type { PolicyTool, TypedCharge } from '../policy.ts';
import { oneLine } from '../decide/sentence.ts';

export function unusableCost(tool: PolicyTool, { budget, amount }: TypedCharge, why: string): string {
  return `${tool.name} is denied: what it takes of ${budget.name}, \`${oneLine(amount.source)}\`, ${oneLine(why)}`;
}

export function unusableKey(tool: string, reason: string): string {
  return `${oneLine(tool)} is denied: its key cannot be computed, ${reason}`;
}

export function tooDeep(tool: PolicyTool): string {
  return `${tool.name} is denied: the call is delegated more deeply than the policy allows`;
}

export function tooOften(tool: PolicyTool): string {
  return `${tool.name} is denied: calls come too fast; the same call may be allowed a little later`;
}

export function tooMany(tool: PolicyTool): string {
  return `${tool.name} is denied: too many calls are running; the same call may be allowed when one has ended`;
}

export function exhausted(tool: PolicyTool, budget: string): string {
  return `${tool.name} is denied: the budget ${budget} has no room for it now; a smaller or a later call may be allowed`;
}

export function counted(tool: PolicyTool): string {
  return `${tool.name} is denied: this run has made as many such calls as it may`;
}

export function tooManyQuestions(tool: PolicyTool): string {
  return `${tool.name} needs an approval, and too many calls wait for one already`;
}

export function cannotWait(tool: PolicyTool): string {
  return `${tool.name} is denied: it needs an approval, and nothing secret of it may be stored until somebody answers`;
}

export function expired(tool: PolicyTool): string {
  return `${tool.name} is denied: its approval has expired`;
}

export function approved(tool: PolicyTool, rules: readonly string[], asked: readonly string[]): string {
  return `${tool.name} is allowed by ${some(rules)}, and what ${some(asked)} asked has been approved`;
}

function some(ids: readonly string[]): string {
  return ids.length <= 3 ? ids.join(' and ') : `${ids.slice(0, 3).join(', ')} and ${ids.length - 3} more rules`;
}
