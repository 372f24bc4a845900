/** What a program knows of a value before it is there: by the schema of its input, and by what models may answer. */

import { type JsonObject, isJsonObject } from '../value/json.ts';
import { actionsOf } from './graph.ts';
import type { Action, Program } from './program.ts';

export interface Declared {
  /** That the value fits, where it is there. */
  readonly schema?: JsonObject;
  /** All texts that it can be. */
  readonly words?: readonly string[];
  /** Whether it is there, and as its type says, wherever what it is part of is. */
  readonly isSure: boolean;
}

const UNKNOWN: Declared = { isSure: false };

/** Of `input.a.b` or `steps.ID.output.c`. What tools, events and other programs bring is not held to a schema. */
export function declaredAt(program: Program, [root, ...path]: readonly string[]): Declared {
  if (root === 'input') return declaredIn({ ...program.input, type: 'object' }, path);
  const [id = '', output, ...rest] = path;
  const step = program.steps.get(id);
  if (root !== 'steps' || step === undefined || output !== 'output') return UNKNOWN;
  if (step.kind === 'ask') {
    return rest.join('.') === 'answer' ? { words: ['yes', 'no', 'expired'], isSure: true } : UNKNOWN;
  }
  const [branch, ...below] = rest;
  if (step.kind === 'parallel') return branch === undefined ? UNKNOWN : answerAt(step.branches.get(branch), below);
  return answerAt(actionsOf(step)[0]?.[1], rest);
}

function answerAt(action: Action | undefined, path: readonly string[]): Declared {
  if (action?.kind !== 'llm') return UNKNOWN;
  if (action.schema !== undefined) return declaredIn(action.schema, path);
  if (path.length > 0) return UNKNOWN;
  return { isSure: true, ...(action.outputs === undefined ? {} : { words: action.outputs }) };
}

function declaredIn(schema: JsonObject, path: readonly string[]): Declared {
  let found = schema;
  for (const name of path) {
    const { properties, required, type } = found;
    const member = isJsonObject(properties) && Object.hasOwn(properties, name) ? properties[name] : undefined;
    const isThere = type === 'object' && Array.isArray(required) && required.includes(name);
    if (!isJsonObject(member) || !isThere || Object.hasOwn(found, '$ref')) return UNKNOWN;
    found = member;
  }
  return { schema: found, isSure: true };
}
