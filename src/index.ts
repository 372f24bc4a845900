/** The package: the authority, its ledger and its policies, for programs that embed them. */

export { Authority } from './authority/authority.ts';
export type { Answer, AnswerState, Performed, ShownDecision } from './authority/answer.ts';
export type { Proposal } from './authority/proposal.ts';
export { settle } from './authority/settle.ts';
export type { Settled, Settlement } from './authority/settle.ts';
export type { Surroundings } from './authority/prepare.ts';
export { LedgerError } from './ledger/ledger.ts';
export type { CallRow, CallState, Ledger, LedgerErrorCode } from './ledger/ledger.ts';
export { openLedger } from './ledger/sqlite/store.ts';
export { openVault } from './ledger/vault.ts';
export type { Vault } from './ledger/vault.ts';
export { isRetryable } from './policy/decide/code.ts';
export type { Code } from './policy/decide/code.ts';
export { compilePolicy } from './policy/compile.ts';
export type { Policy } from './policy/compile.ts';
export { parseConfiguration } from './policy/document/configuration.ts';
export type { Configuration } from './policy/document/configuration.ts';
export { decide, explain, needs, questionOf, settleCost, settleFailed } from './policy/decide/decide.ts';
export type { Approval, DecideOptions, FactValues, Question } from './policy/decide/decide.ts';
export type { Decision, Effect, Request, Reservation, ToolEffect } from './policy/decide/decision.ts';
export type { SettledCost } from './policy/meter/settle-cost.ts';
export { defineTool } from './policy/tool/tool.ts';
export type { ToolDefinition } from './policy/tool/tool.ts';
export type { Issue, Parsed } from './value/issue.ts';
export { systemWorld } from './world/system.ts';
export type { World } from './world/world.ts';
