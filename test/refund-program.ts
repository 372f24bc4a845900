/** The program of docs/programs.md and the tools that it speaks of. */

import type { Catalog, CatalogTool } from '../src/program/catalog.ts';
import { compileProgram } from '../src/program/compile.ts';
import type { Program } from '../src/program/program.ts';
import { renderIssue } from '../src/value/issue.ts';

export const REFUND = `
program: refund
version: 1
input:
  type: object
  required: [charge, amount, text]
  properties: { charge: {type: string}, amount: {type: integer}, text: {type: string} }
limits: { steps: 50, stalled: 3, tokens: 20000, usd: 0.50, time: 10m }
events: { payment.settled: { type: object } }
start: classify
steps:
  classify:
    llm: support
    prompt: "Is this a refund request? Answer refund, query or other.\\n\${{ input.text }}"
    outputs: [refund, query, other]
    mismatch: { retry: 2, then: fail }
    timeout: 20s
    next: check
  check:
    choose:
      - when: steps.classify.output == "refund" && input.amount <= 5000
        next: pay
      - when: steps.classify.output == "refund"
        next: approve
      - next: reject
  approve: { ask: finance, show: "Refund \${{ input.amount }}?", timeout: 24h, yes: pay, no: reject, expired: reject }
  pay:
    tool: payments.create_refund
    args: { charge: "\${{ input.charge }}", amount: "\${{ input.amount }}" }
    retry: { attempts: 4 }
    timeout: 30s
    undo: { tool: payments.cancel_refund, args: { id: "\${{ steps.pay.output.id }}" } }
    next: notify
  notify:
    parallel:
      mail: { tool: mail.send, args: { to: support@example.com } }
      log:  { tool: crm.note,  args: { text: refunded } }
    max: 2
    next: settled
  settled: { wait: payment.settled, timeout: 72h, next: done, expired: escalate }
  done:     { end: success, output: { refund: "\${{ steps.pay.output.id }}" } }
  reject:   { end: rejected }
  escalate: { end: failed, because: "not settled in time" }
`;

const object = (properties: CatalogTool['inputSchema'], required: readonly string[] = Object.keys(properties)) =>
  ({ type: 'object', properties, required, additionalProperties: false }) as const;
const string = { type: 'string' } as const;

const TOOLS: Readonly<Record<string, CatalogTool>> = {
  'payments.create_refund': {
    inputSchema: object({ charge: string, amount: { type: 'integer' } }),
    outputSchema: object({ id: string }),
    effect: 'irreversible',
  },
  'payments.cancel_refund': { inputSchema: object({ id: string }), effect: 'write' },
  'mail.send': { inputSchema: object({ to: string }), effect: 'irreversible' },
  'crm.note': { inputSchema: object({ text: string }), effect: 'write' },
  'crm.find': {
    inputSchema: object({ text: string }),
    outputSchema: object({ n: { type: 'integer' } }),
    effect: 'read',
  },
};

export const CATALOG: Catalog = {
  tools: Object.keys(TOOLS),
  tool: (name) => TOOLS[name],
  denied: () => undefined,
  hasModel: () => true,
  program: () => undefined,
};

export function programOf(text: string, catalog: Catalog = CATALOG): Program {
  const compiled = compileProgram(text, 'program.yaml', catalog);
  if (compiled.ok) return compiled.value;
  throw new Error(compiled.issues.map((issue) => renderIssue(issue, text)).join('\n'));
}
