/** What is secret of a call of a tool and of what it answers, as the operator declares it: `secrets:` of its tool. Pure. */

import type { Expression } from '../../expression/compile.ts';
import type { Node } from '../../expression/tree.ts';
import { childrenOf } from '../../expression/tree.ts';
import type { JsonValue } from '../../value/json.ts';
import { pathOf } from '../condition/comparison.ts';
import type { Request } from '../decide/decision.ts';
import type { Policy } from '../policy.ts';
import { outputOf } from './output.ts';
import { declaredBy, scalarsIn, valueAt } from './personal.ts';
import type { DeclaredValues } from './personal.ts';

/** As what is declared personal; nobody is named. */
export type DeclaredSecrets = DeclaredValues;

const OUTPUT = 'output';
const NOTHING: DeclaredSecrets = { paths: [], values: [] };

/** Whether `expression` is known before the call, or is a plain path into what it answers. */
export function isSecretExpression({ root }: Expression): boolean {
  return pathOf(root, OUTPUT) !== undefined || !readsOutput(root);
}

function readsOutput(node: Node): boolean {
  return (node.kind === 'variable' && node.name === OUTPUT) || childrenOf(node).some(readsOutput);
}

/** The expressions over the arguments, and the paths into what is answered. */
export function secretsDeclared(expressions: readonly Expression[]): {
  readonly secrets: readonly Expression[];
  readonly secretOutputs: readonly (readonly string[])[];
} {
  const paths = expressions.map(({ root }) => pathOf(root, OUTPUT));
  return {
    secrets: expressions.filter((_, index) => paths[index] === undefined),
    secretOutputs: paths.filter((path) => path !== undefined),
  };
}

/** What is declared secret of the arguments of `request`; an expression that errs is a `problem`. */
export function secretsOf(policy: Policy, request: Request): DeclaredSecrets {
  const tool = policy.tools.get(request.tool);
  if (tool === undefined || tool.invalid !== undefined || tool.secrets.length === 0) return NOTHING;
  return declaredBy(policy, tool, request, tool.secrets);
}

/** The texts and numbers that are declared secret of what `tool` answered. */
export function secretTextsIn(policy: Policy, tool: string, output: JsonValue): readonly string[] {
  const paths = policy.tools.get(tool)?.secretOutputs ?? [];
  if (paths.length === 0) return [];
  const content = outputOf(output);
  return paths.flatMap((path) => scalarsIn(valueAt(content, path)));
}
