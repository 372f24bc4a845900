/** The shadow of a configuration as the commands find it: compiled beside it, or why not. */

import type { ShadowState } from '../authority/layers.ts';
import { compilePolicy } from '../policy/compile.ts';
import type { Configuration } from '../policy/document/configuration.ts';
import type { Pins } from '../policy/pin/pin.ts';
import { besideMain } from '../policy/decide/shadow.ts';
import type { ToolDefinition } from '../policy/tool/tool.ts';
import type { Issue } from '../value/issue.ts';
import type { LoadedShadow } from './configuration.ts';
import { firstError, forbidUse } from './issues.ts';

export interface TypedShadow {
  readonly state: ShadowState;
  /** Those of its file, too. */
  readonly issues: readonly Issue[];
}

/**
 * Compiles `shadow` over what the servers of `main` offer and `pins` hold. One that does not load is told and recorded, and nothing
 * else: calls go on under `main` alone.
 */
export function typeShadow(
  main: Configuration,
  shadow: LoadedShadow,
  offered: ReadonlyMap<string, readonly ToolDefinition[]>,
  pins: Pins,
): TypedShadow {
  const { configuration, shown, issues } = shadow;
  const invalid = (all: readonly Issue[]): TypedShadow => {
    return { state: { kind: 'invalid', message: firstError(all, shown) }, issues: all };
  };
  if (configuration === undefined) return invalid(issues);
  const tools = new Map([...offered.values()].flat().map((tool) => [tool.name, tool] as const));
  const complete = new Set(offered.keys());
  const compiled = compilePolicy(besideMain(main, configuration), tools, { complete, pins });
  const all = [...issues, ...compiled.issues].map((issue) => ({ ...issue, file: shown }));
  if (compiled.policy === undefined || forbidUse(all)) return invalid(all);
  return { state: { kind: 'loaded', policy: compiled.policy }, issues: all };
}
