/** The closed list of codes: why a call was allowed, asked about or denied. */

export type Code =
  | 'allowed'
  | 'asked'
  | 'no-rule'
  | 'denied-by-rule'
  | 'condition-error'
  | 'policy-invalid'
  | 'kill-switch'
  | 'unknown-tool'
  | 'pin-changed'
  | 'schema-mismatch'
  | 'malformed'
  | 'unknown-principal'
  | 'key-conflict'
  | 'key-taken'
  | 'twin-unsettled'
  | 'outcome-unknown'
  | 'erased'
  | 'result-redacted'
  | 'budget-exhausted'
  | 'rate-exceeded'
  | 'concurrency-exceeded'
  | 'depth-exceeded'
  | 'approval-unavailable'
  | 'approval-refused'
  | 'approval-expired'
  | 'obligation-failed'
  | 'guard-refused'
  | 'secret-found'
  | 'secret-cannot-wait'
  | 'contract-violation'
  | 'upstream-unavailable'
  | 'busy'
  | 'clock-jump'
  | 'ledger-stopped'
  | 'ledger-tampered';

const RETRYABLE: ReadonlySet<Code> = new Set<Code>([
  'budget-exhausted',
  'rate-exceeded',
  'concurrency-exceeded',
  'upstream-unavailable',
  'busy',
]);

/** Whether the same call may be allowed later without anybody changing anything. */
export function isRetryable(code: Code): boolean {
  return RETRYABLE.has(code);
}
