/** The policy, the tools and the programs of a case of the corpus, compiled. */

import assert from 'node:assert/strict';
import { compilePolicy } from '../src/policy/compile.ts';
import type { Policy } from '../src/policy/compile.ts';
import { parseConfiguration } from '../src/policy/document/configuration.ts';
import { defineTool } from '../src/policy/tool/tool.ts';
import { compileProgram } from '../src/program/compile.ts';
import type { Program } from '../src/program/program.ts';
import { catalogOf } from '../src/runtime/catalog.ts';
import type { Parsed } from '../src/value/issue.ts';
import type { ProgramCase } from './program-corpus.ts';

export const PRINCIPAL = 'local';

/** Where answers come from is for whoever drives the case. */
const MODEL = { provider: 'scripted', file: 'answers.yaml', price: { input: 1, output: 1 } };

export function policyOf({ policy, tools, models, title }: ProgramCase): Policy {
  const asked = Object.fromEntries(models.map((name) => [name, MODEL]));
  const configured = { interlock: 1, ...policy, ...(models.length === 0 ? {} : { models: asked }) };
  const configuration = parseConfiguration(JSON.stringify(configured), { file: title, environment: {} });
  assert.ok(configuration.ok, `${title}: ${JSON.stringify(configuration.issues)}`);
  const defined = Object.entries(tools).flatMap(([server, list]) =>
    list.map((raw) => {
      const made = defineTool(server, raw);
      assert.ok(made.ok, `${title}: ${JSON.stringify(made)}`);
      return [made.tool.name, made.tool] as const;
    }),
  );
  const complete = new Set(Object.keys(tools));
  const compiled = compilePolicy(configuration.value, new Map(defined), { complete });
  assert.ok(compiled.policy !== undefined, `${title}: ${JSON.stringify(compiled.issues)}`);
  return compiled.policy;
}

/** The program of a case, and the others that it may call. */
export function programIn(each: ProgramCase, policy: Policy): Parsed<Program> & { readonly children: Children } {
  const children: Children = new Map();
  const catalog = catalogOf(policy, PRINCIPAL, (name) => children.get(name));
  for (const [name, document] of Object.entries(each.programs)) {
    const compiled = compileProgram(JSON.stringify(document), name, catalog);
    assert.ok(compiled.ok, `${each.title}: ${name}: ${JSON.stringify(compiled.issues)}`);
    children.set(name, compiled.value);
  }
  const text = typeof each.program === 'string' ? each.program : JSON.stringify(each.program, undefined, 2);
  return { ...compileProgram(text, 'program', catalog), children };
}

type Children = Map<string, Program>;
