/** The one door as the gateway sees it: everything that can carry an effect goes through it, in both directions. */

import type { Answer } from '../authority/answer.ts';
import type { Proposal } from '../authority/proposal.ts';
import type { OwnTool } from './own.ts';
import type { ToolDefinition } from '../policy/tool/tool.ts';
import type { JsonObject } from '../value/json.ts';

/** A proposal of this gateway's one session; who proposes is the door's to know. */
export type Proposed = Omit<Proposal, 'principal' | 'session'>;

export interface Door {
  /** Whether the person at the host may answer questions of Interlock's own. */
  readonly interactive: boolean;
  /** Interlock's own tools, for this caller; `policyChanged` of the gateway says when there are others. */
  readonly own: readonly OwnTool[];
  /** Whether the caller may know of the tool or method with this policy name. Cheap: asked for each tool of a list. */
  visible(tool: string): boolean;
  /** The definition of an offered tool as the host may see it; its name is the gateway's affair. */
  shown(definition: ToolDefinition): JsonObject;
  /** Decides, records, performs through `perform` at most once, records the outcome, and only then answers. */
  call(proposal: Proposed): Promise<Answer>;
  /** A line or request that was refused before it could become a proposal; to be recorded. */
  malformed(reason: string): void | Promise<void>;
  /**
   * The tools that a server offers now, none included; nothing when it cannot be reached. Called whenever that changes,
   * and before a host hears of it.
   */
  offered(server: string, tools: readonly ToolDefinition[] | undefined): void;
}
