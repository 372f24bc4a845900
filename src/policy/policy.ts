/** A policy ready to decide: per tool what is declared of it and the rules that speak of it, typed. */

import type { Expression } from '../expression/compile.ts';
import type { CelType } from '../expression/type.ts';
import type { CelValue } from '../expression/value.ts';
import type { Digest } from '../value/digest.ts';
import type { Configuration } from './document/configuration.ts';
import type { Budget } from './meter/budget.ts';
import type { GuardDeclaration } from './document/declaration.ts';
import type { ToolEffect } from './decide/decision.ts';
import type { Limit } from './meter/limit.ts';
import type { PinState } from './pin/pin.ts';
import type { Catalog } from './pin/catalog.ts';
import type { Rule } from './document/rule.ts';
import type { ToolDefinition } from './tool/tool.ts';

/** A rule as it applies to one tool. */
export interface TypedRule {
  readonly rule: Rule;
  /** Its place among all rules, from 0. */
  readonly order: number;
  /** Absent: the rule always holds. */
  readonly condition?: Expression;
  /** An exception sets it aside where its condition is true; where that errs, it holds as ever. */
  readonly lifted?: true;
}

/** The rules that match a tool's name, each list in file order. */
export interface RuleTable {
  readonly allow: readonly TypedRule[];
  readonly ask: readonly TypedRule[];
  readonly deny: readonly TypedRule[];
}

/** What a call of a tool is charged to one budget. */
export interface TypedCharge {
  readonly budget: Budget;
  readonly amount: Expression;
}

/** A probe typed against the tool it is of and the tool it asks. */
export interface TypedProbe {
  readonly tool: string;
  readonly args: readonly (readonly [name: string, value: Expression])[];
  readonly executed: Expression;
  /** Of what the asked tool answers. */
  readonly outputType: CelType;
}

export interface PolicyTool {
  /** Policy name. */
  readonly name: string;
  readonly server: string;
  /**
   * As pinned, else as served, with the operator's `input:` in place of the server's schema where there is one, and
   * without the argument of a `downstreamKey`.
   */
  readonly definition: ToolDefinition;
  readonly pin: PinState;
  readonly effect: ToolEffect;
  readonly labels: readonly string[];
  readonly guard?: GuardDeclaration;
  /** The business idempotency key. */
  readonly key?: Expression;
  /** What a call is charged before it runs. */
  readonly cost: readonly TypedCharge[];
  /** Of budgets that are in `cost` too: what the call turned out to take, over its output as well. */
  readonly actualCost: readonly TypedCharge[];
  /** Whether a call that the tool answered with an error took nothing. */
  readonly failedHasNoEffect: boolean;
  /** How long after an unknown outcome the tool may still be at work, milliseconds. */
  readonly effectTimeoutMs?: number;
  /** Where the gateway gives the tool an idempotency key of its own; callers may not. */
  readonly downstreamKey?: { readonly in: 'arg' | 'meta'; readonly name: string };
  /** How to find out whether a call of unknown outcome has happened. */
  readonly probe?: TypedProbe;
  /** The limits that speak of the tool, in file order. */
  readonly limits: readonly Limit[];
  /** The budgets that its conditions may read. */
  readonly budgetsRead: readonly Budget[];
  readonly personal: readonly Expression[];
  readonly subject?: Expression;
  /** The tool that is asked about the subject, or `required` where one that nothing checks is refused. */
  readonly subjectCheck?: string;
  /** Expressions over the arguments of a call that give secrets. */
  readonly secrets: readonly Expression[];
  /** Where secrets stand in what the tool answers, by the names of the members of `output`. */
  readonly secretOutputs: readonly (readonly string[])[];
  /** Nothing secret of a call may be kept, however shortly: it cannot wait for an approval. */
  readonly neverStores: boolean;
  readonly argsType: CelType;
  /** Of what the tool answers. */
  readonly outputType: CelType;
  /** What conditions see as `tool`. */
  readonly value: CelValue;
  readonly rules: RuleTable;
  /** Why every call is denied `policy-invalid`: something written about this tool does not type. */
  readonly invalid?: string;
}

export interface Policy {
  /** Of the configuration as written; two policies with one digest decide alike over equal tools. */
  readonly digest: Digest;
  /** Of the lock that pins their definitions; absent when there is none. */
  readonly lock?: Digest;
  readonly configuration: Configuration;
  /** The tools of servers that it was made with. */
  readonly catalog: Catalog;
  /** By policy name: tools and methods. */
  readonly tools: ReadonlyMap<string, PolicyTool>;
}
