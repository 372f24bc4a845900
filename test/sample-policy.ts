/** A policy over a bank and a file server, requests to it, and the counters as a ledger would fold them. */

import assert from 'node:assert/strict';
import { compilePolicy } from '../src/policy/compile.ts';
import type { Policy } from '../src/policy/compile.ts';
import { parseConfiguration } from '../src/policy/document/configuration.ts';
import type { Decision, Request, Reservation } from '../src/policy/decide/decision.ts';
import { defineTool } from '../src/policy/tool/tool.ts';
import type { ToolDefinition } from '../src/policy/tool/tool.ts';
import type { Issue } from '../src/value/issue.ts';
import type { JsonObject } from '../src/value/json.ts';

const PAYMENT: JsonObject = {
  type: 'object',
  properties: { amount: { type: 'integer' }, rate: { type: 'number' }, name: { type: 'string' }, any: {} },
};
const FREE: JsonObject = { type: 'object' };

const SERVED = [
  [
    'bank',
    { name: 'pay', inputSchema: PAYMENT, outputSchema: { type: 'object', properties: { paid: { type: 'integer' } } } },
  ],
  ['bank', { name: 'refund', inputSchema: PAYMENT }],
  ['files', { name: 'read', inputSchema: FREE }],
] as const;

const TOOLS: ReadonlyMap<string, ToolDefinition> = new Map(
  SERVED.map(([server, raw]) => {
    const defined = defineTool(server, raw);
    assert.ok(defined.ok);
    return [defined.tool.name, defined.tool];
  }),
);

/** The policy that `body` writes, with its issues; `policy` is absent when there is none. */
export function compiled(body: string): { readonly policy: Policy | undefined; readonly issues: readonly Issue[] } {
  const text = `interlock: 1\nservers: { bank: { command: x }, files: { command: x } }\n${body}`;
  const parsed = parseConfiguration(text, { file: 'interlock.yaml', environment: {} });
  if (!parsed.ok) return { policy: undefined, issues: parsed.issues };
  return compilePolicy(parsed.value, TOOLS, { complete: new Set(['bank', 'files']) });
}

/** The policy that `body` writes, which has no errors. */
export function policyOf(body: string): Policy {
  const { policy, issues } = compiled(body);
  const errors = issues.filter(({ severity }) => severity === 'error');
  assert.ok(policy !== undefined && errors.length === 0, JSON.stringify(issues));
  return policy;
}

export const ALLOW_ALL = 'rules:\n  - allow: "*"\n';
/** 2026-11-20T18:00:00Z */
export const EVENING: number = Date.UTC(2026, 10, 20, 18);

export function requestOf(tool: string, args: JsonObject = {}, more: Partial<Request> = {}): Request {
  return {
    principal: 'local',
    tool,
    args,
    call: { id: 'c', attempt: 1, key: '' },
    run: { id: 'r', depth: 0 },
    now: EVENING,
    ...more,
  };
}

/** `effect code [rules]` */
export function brief({ effect, code, rules }: Decision): string {
  return `${effect} ${code} [${rules.join(' ')}]`;
}

/** `facts` after the intent that makes `reservation`. */
export function reservedOn(facts: ReadonlyMap<string, number>, reservation?: Reservation): Map<string, number> {
  const after = new Map(facts);
  for (const [key, amount] of Object.entries(reservation?.reserved ?? {}))
    after.set(key, (after.get(key) ?? 0) + amount);
  for (const [key, arrival] of Object.entries(reservation?.rates ?? {})) after.set(key, arrival);
  for (const key of reservation?.slots ?? []) after.set(key, (after.get(key) ?? 0) + 1);
  return after;
}
