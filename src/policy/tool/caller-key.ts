/** Whether a decision may depend on the caller's own key, which the ledger holds only as an HMAC. */

import type { Expression } from '../../expression/compile.ts';
import type { Node } from '../../expression/tree.ts';
import { childrenOf } from '../../expression/tree.ts';
import type { Policy, PolicyTool } from '../policy.ts';

/**
 * Whether something written about `tool` may read `call.key`. True of more than does: `call` as a whole counts, and so
 * does `call[…]`.
 */
export function readsCallerKey(policy: Policy, tool: string): boolean {
  const known = policy.tools.get(tool);
  return known !== undefined && expressionsOf(known).some(({ root }) => reads(root));
}

function expressionsOf({
  rules,
  key,
  cost,
  actualCost,
  probe,
  personal,
  subject,
  secrets,
}: PolicyTool): readonly Expression[] {
  const conditions = [...rules.allow, ...rules.ask, ...rules.deny].map(({ condition }) => condition);
  const charges = [...cost, ...actualCost].map(({ amount }) => amount);
  const probed = probe === undefined ? [] : [probe.executed, ...probe.args.map(([, value]) => value)];
  return [...conditions, key, ...charges, ...probed, ...personal, ...secrets, subject].filter(
    (one) => one !== undefined,
  );
}

function reads(node: Node): boolean {
  if (node.kind === 'variable') return node.name === 'call';
  const isOther = node.kind === 'member' && node.name !== 'key' && isCall(node.target);
  return !isOther && childrenOf(node).some(reads);
}

function isCall(node: Node): boolean {
  return node.kind === 'variable' && node.name === 'call';
}
