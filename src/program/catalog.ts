/** What a program may speak of: tools, models and other programs, by name. */

import type { JsonObject } from '../value/json.ts';
import type { Program, ToolEffect } from './program.ts';

export interface CatalogTool {
  readonly inputSchema: JsonObject;
  readonly outputSchema?: JsonObject;
  readonly effect: ToolEffect;
}

/** The tool that asking the model `name` is a call of. */
export function modelToolName(name: string): string {
  return `llm.${name}`;
}

export interface Catalog {
  /** The names of all tools, for hints. */
  readonly tools: readonly string[];
  tool(name: string): CatalogTool | undefined;
  /** Why no call of the tool is allowed, whatever its arguments; nothing when some may be. */
  denied(name: string): string | undefined;
  /** Whether there is such a model; nothing where nobody can tell. */
  hasModel(name: string): boolean | undefined;
  /** Whether it is known what the model costs; absent, and nothing, where nobody can tell. */
  hasPrice?(name: string): boolean | undefined;
  program(name: string): Program | undefined;
}
