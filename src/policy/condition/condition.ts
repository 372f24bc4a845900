/** Conditions, keys and costs typed against the tools they speak of, each source once for each schema. */

import { compile } from '../../expression/compile.ts';
import type { Compiled, Expression, ExpressionIssue } from '../../expression/compile.ts';
import { typeOfSchema } from '../../expression/schema.ts';
import { DYN } from '../../expression/type.ts';
import type { CelType, Vocabulary } from '../../expression/type.ts';
import type { Budget } from '../meter/budget.ts';
import { outputDigest, schemaDigest } from '../tool/served.ts';
import type { ToolDefinition } from '../tool/tool.ts';
import { WITHOUT_ARGS, withBudgets, withNames } from './vocabulary.ts';

/**
 * What an expression is for. A condition is a boolean and may read budgets; any other value comes before budgets are
 * looked at; what is made of an outcome sees `output` as well, and of a probe's it is a boolean.
 */
export type Purpose = 'bool' | 'any' | 'outcome' | 'probe';

export interface Typing {
  /** Problems that are there whatever the tool: a syntax error, a name that does not exist. */
  faults(source: string, purpose: Purpose): readonly ExpressionIssue[];
  /** The expression over this tool's arguments. */
  type(source: string, purpose: Purpose, tool: ToolDefinition): Compiled;
  argsType(tool: ToolDefinition): CelType;
  outputType(tool: ToolDefinition): CelType;
}

/** Typing with a memory: equal sources over equal schemas are compiled once. */
export function typing(budgets: ReadonlyMap<string, Budget>): Typing {
  const compiled = new Map<string, Compiled>();
  const vocabularies = new Map<string, Vocabulary>();
  const inputs = typeMemory(schemaDigest, (tool) => typeOfSchema(tool.inputSchema));
  const outputs = typeMemory(outputDigest, ({ outputSchema }) =>
    outputSchema === undefined ? DYN : typeOfSchema(outputSchema),
  );

  const vocabularyFor = (
    schema: string,
    purpose: Purpose,
    names: () => Readonly<Record<string, CelType>>,
  ): Vocabulary => {
    const reads = purpose === 'bool' && budgets.size === 0 ? 'any' : purpose;
    const key = `${schema} ${reads}`;
    const known = vocabularies.get(key);
    if (known !== undefined) return known;
    const all = withNames(WITHOUT_ARGS, names());
    const made = purpose === 'bool' ? withBudgets(all, budgets) : all;
    vocabularies.set(key, made);
    return made;
  };
  const once = (
    schema: string,
    source: string,
    purpose: Purpose,
    names: () => Readonly<Record<string, CelType>>,
  ): Compiled => {
    const key = `${schema} ${purpose} ${source}`;
    const known = compiled.get(key);
    if (known !== undefined) return known;
    const expect = purpose === 'bool' || purpose === 'probe' ? 'bool' : 'any';
    const result = compile(source, vocabularyFor(schema, purpose, names), { expect });
    compiled.set(key, result);
    return result;
  };
  return {
    faults(source, purpose) {
      if (once('none', source, purpose, () => ({})).ok) return [];
      const result = once('any', source, purpose, () => untyped(purpose));
      return result.ok ? [] : result.issues;
    },
    type(source, purpose, tool) {
      // A condition that reads no arguments is one expression for all tools.
      const apart = once('none', source, purpose, () => ({}));
      if (apart.ok) return apart;
      const args = inputs(tool);
      if (!seesOutput(purpose)) return once(args.digest, source, purpose, () => ({ args: args.type }));
      const output = outputs(tool);
      const names = { args: args.type, output: output.type };
      return once(`${args.digest} ${output.digest}`, source, purpose, () => names);
    },
    argsType: (tool) => inputs(tool).type,
    outputType: (tool) => outputs(tool).type,
  };
}

function untyped(purpose: Purpose): Readonly<Record<string, CelType>> {
  return seesOutput(purpose) ? { args: DYN, output: DYN } : { args: DYN };
}

function seesOutput(purpose: Purpose): boolean {
  return purpose === 'outcome' || purpose === 'probe';
}

interface SchemaType {
  readonly digest: string;
  readonly type: CelType;
}

/** The type of one of a tool's schemas, the same object for equal schemas. */
function typeMemory(
  digestOf: (tool: ToolDefinition) => string,
  typeOf: (tool: ToolDefinition) => CelType,
): (tool: ToolDefinition) => SchemaType {
  const digests = new Map<ToolDefinition, string>();
  const types = new Map<string, SchemaType>();
  return (tool) => {
    const digest = digests.get(tool) ?? digestOf(tool);
    digests.set(tool, digest);
    const known = types.get(digest) ?? { digest, type: typeOf(tool) };
    types.set(digest, known);
    return known;
  };
}

/** Each `&&` clause as an expression over `vocabulary` alone; `undefined` for one that reads more. */
export function clausesOver(expression: Expression, vocabulary: Vocabulary): readonly (Expression | undefined)[] {
  return expression.clauses.map(({ text }) => {
    const result = compile(text, vocabulary, { expect: 'bool' });
    return result.ok ? result.expression : undefined;
  });
}
