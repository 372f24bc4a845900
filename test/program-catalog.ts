/** The policy, the tools and the programs of a case of the corpus, compiled. */

import assert from 'node:assert/strict';
import { compilePolicy } from '../src/policy/compile.ts';
import type { Policy } from '../src/policy/compile.ts';
import { parseConfiguration } from '../src/policy/document/configuration.ts';
import { defineTool } from '../src/policy/tool/tool.ts';
import { couldAllow } from '../src/policy/tool/visible.ts';
import type { Catalog } from '../src/program/catalog.ts';
import { compileProgram } from '../src/program/compile.ts';
import type { Program } from '../src/program/program.ts';
import type { Parsed } from '../src/value/issue.ts';
import type { ProgramCase } from './program-corpus.ts';

export const PRINCIPAL = 'local';

const PROMPT = { type: 'object', properties: { prompt: { type: 'string' } }, required: ['prompt'] };

/** A model is a tool of this server. */
const MODELS = 'llm';

export function policyOf({ policy, tools, models, title }: ProgramCase): Policy {
  const configuration = parseConfiguration(JSON.stringify({ interlock: 1, ...policy }), {
    file: title,
    environment: {},
  });
  assert.ok(configuration.ok, `${title}: ${JSON.stringify(configuration.issues)}`);
  const asked = models.map((name) => ({ name, inputSchema: PROMPT }));
  const servers = { ...tools, ...(models.length === 0 ? {} : { [MODELS]: asked }) };
  const defined = Object.entries(servers).flatMap(([server, list]) =>
    list.map((raw) => {
      const made = defineTool(server, raw);
      assert.ok(made.ok, `${title}: ${JSON.stringify(made)}`);
      return [made.tool.name, made.tool] as const;
    }),
  );
  const complete = new Set(Object.keys(servers));
  const compiled = compilePolicy(configuration.value, new Map(defined), { complete });
  assert.ok(compiled.policy !== undefined, `${title}: ${JSON.stringify(compiled.issues)}`);
  return compiled.policy;
}

/** The program of a case, and the others that it may call. */
export function programIn(each: ProgramCase, policy: Policy): Parsed<Program> & { readonly children: Children } {
  const children: Children = new Map();
  const catalog = catalogOf(policy, each, children);
  for (const [name, document] of Object.entries(each.programs)) {
    const compiled = compileProgram(JSON.stringify(document), name, catalog);
    assert.ok(compiled.ok, `${each.title}: ${name}: ${JSON.stringify(compiled.issues)}`);
    children.set(name, compiled.value);
  }
  const text = typeof each.program === 'string' ? each.program : JSON.stringify(each.program, undefined, 2);
  return { ...compileProgram(text, 'program', catalog), children };
}

type Children = Map<string, Program>;

function catalogOf(policy: Policy, { models }: ProgramCase, children: Children): Catalog {
  return {
    tools: [...policy.tools.keys()],
    tool: (name) => {
      const tool = policy.tools.get(name);
      if (tool === undefined) return undefined;
      const { inputSchema, outputSchema } = tool.definition;
      return { inputSchema, effect: tool.effect, ...(outputSchema === undefined ? {} : { outputSchema }) };
    },
    denied: (name) => {
      const tool = policy.tools.get(name);
      return tool === undefined || couldAllow(policy, PRINCIPAL, name)
        ? undefined
        : (tool.invalid ?? 'no rule allows it');
    },
    hasModel: (name) => models.includes(name),
    program: (name) => children.get(name),
  };
}
