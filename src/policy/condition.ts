/** Conditions and keys typed against the tools they speak of, each source once for each schema. */

import { compile } from '../expression/compile.ts';
import type { Compiled, Expression, ExpressionIssue } from '../expression/compile.ts';
import { typeOfSchema } from '../expression/schema.ts';
import type { CelType, Vocabulary } from '../expression/type.ts';
import { schemaDigest } from './served.ts';
import type { ToolDefinition } from './tool.ts';
import { vocabularyOf, WITHOUT_ARGS } from './vocabulary.ts';

const DYN: CelType = { kind: 'dyn' };

/** What an expression is for: a condition is a boolean, a key any value. */
export type Purpose = 'bool' | 'any';

export interface Typing {
  /** Problems that are there whatever the tool: a syntax error, a name that does not exist. */
  faults(source: string, purpose: Purpose): readonly ExpressionIssue[];
  /** The expression over this tool's arguments. */
  type(source: string, purpose: Purpose, tool: ToolDefinition): Compiled;
  argsType(tool: ToolDefinition): CelType;
}

/** Typing with a memory: equal sources over equal schemas are compiled once. */
export function typing(): Typing {
  const digests = new Map<ToolDefinition, string>();
  const arguments_ = new Map<string, { readonly type: CelType; readonly vocabulary: Vocabulary }>();
  const compiled = new Map<string, Compiled>();
  const untyped = vocabularyOf(DYN);

  const once = (schema: string, source: string, purpose: Purpose, vocabulary: Vocabulary): Compiled => {
    const key = `${schema} ${purpose} ${source}`;
    const known = compiled.get(key);
    if (known !== undefined) return known;
    const result = compile(source, vocabulary, { expect: purpose });
    compiled.set(key, result);
    return result;
  };
  const digestFor = (tool: ToolDefinition): string => {
    const digest = digests.get(tool) ?? schemaDigest(tool);
    digests.set(tool, digest);
    return digest;
  };
  const argumentsOf = (tool: ToolDefinition): { readonly type: CelType; readonly vocabulary: Vocabulary } => {
    const digest = digestFor(tool);
    let known = arguments_.get(digest);
    if (known === undefined) {
      const type = typeOfSchema(tool.inputSchema);
      known = { type, vocabulary: vocabularyOf(type) };
      arguments_.set(digest, known);
    }
    return known;
  };
  return {
    faults(source, purpose) {
      if (once('none', source, purpose, WITHOUT_ARGS).ok) return [];
      const result = once('any', source, purpose, untyped);
      return result.ok ? [] : result.issues;
    },
    type(source, purpose, tool) {
      // A condition that reads no arguments is one expression for all tools.
      const apart = once('none', source, purpose, WITHOUT_ARGS);
      return apart.ok ? apart : once(digestFor(tool), source, purpose, argumentsOf(tool).vocabulary);
    },
    argsType: (tool) => argumentsOf(tool).type,
  };
}

/** Each `&&` clause as an expression over `vocabulary` alone; `undefined` for one that reads more. */
export function clausesOver(expression: Expression, vocabulary: Vocabulary): readonly (Expression | undefined)[] {
  return expression.clauses.map(({ text }) => {
    const result = compile(text, vocabulary, { expect: 'bool' });
    return result.ok ? result.expression : undefined;
  });
}
