/** Expressions of a program: typed over its input and what its steps leave, with the steps that each reads. */

import { type Expression, compile } from '../expression/compile.ts';
import { type Node, childrenOf } from '../expression/tree.ts';
import type { CelType, Vocabulary } from '../expression/type.ts';
import { alike } from '../document/alike.ts';
import { shown } from '../document/reader.ts';
import { type Located, locate } from '../document/source.ts';
import { type Issue, type Place, issueAt } from '../value/issue.ts';
import type { Catalog } from './catalog.ts';
import type { ProgramTypes } from './program.ts';
import type { WrittenProgram } from './written.ts';

/** What linking works with. Problems are collected, so that one look tells all of them. */
export interface Linking {
  readonly file: string;
  readonly written: WrittenProgram;
  readonly catalog: Catalog;
  readonly types: ProgramTypes;
  /** By the steps that expressions name. */
  readonly vocabularies: Map<string, Vocabulary>;
  readonly issues: Issue[];
}

export interface Own extends Linking {
  /** Steps whose outputs the expressions of the step read. */
  readonly reads: Set<string>;
}

/** The expression that `source` says; nothing with an error. `what` says where it stands. */
export function linkExpression(
  own: Own,
  source: Located,
  what: string,
  expect: 'bool' | 'any',
): Expression | undefined {
  const compiled = compile(source.text, vocabularyFor(own, source.text), { expect });
  const problems = compiled.ok ? compiled.warnings : compiled.issues;
  for (const { code, severity, message, offset, hint } of problems) {
    const name = code === 'unknown-member' ? stepNamedAt(source.text, offset) : undefined;
    if (name !== undefined && !own.types.steps.fields.has(name)) refuseRead(own, name, locate(source, offset), what);
    else own.issues.push(issueAt(own.file, severity, locate(source, offset), code, `${what}: ${message}`, hint));
  }
  if (!compiled.ok) return undefined;
  const reads = new Map<string, number>();
  const dynamic = readsOf(compiled.expression.root, reads);
  for (const [name, offset] of reads) {
    own.reads.add(name);
    if (!own.types.steps.fields.has(name)) refuseRead(own, name, locate(source, offset), what);
  }
  if (dynamic === undefined) return compiled.expression;
  const hint = 'name the step: `steps.pay.output`';
  refuse(own, locate(source, dynamic.offset), 'steps-unnamed', `${what} reads \`steps\` without naming one`, hint);
  return undefined;
}

/** What is read is left by no step. */
function refuseRead(own: Own, name: string, place: Place, what: string): void {
  const leaving = [...own.types.steps.fields.keys()];
  const near = alike(name, leaving);
  const some = leaving.slice(0, HINTED_MAX).map((id) => `\`${id}\``);
  const hint =
    near === undefined ? `steps that leave an output: ${some.join(', ')}` : `did you mean \`steps.${near}\`?`;
  const step = own.written.steps.get(name);
  const reads = `${what} reads \`steps.${shown(name)}\`, and`;
  const known = leaving.length === 0 ? undefined : hint;
  if (step === undefined) return refuse(own, place, 'step-unknown', `${reads} there is no such step`, known);
  const kind = step.kind === 'end' ? 'an `end`' : `a \`${step.kind}\``;
  refuse(own, place, 'value-never', `${reads} ${kind} leaves no output`, known);
}

const HINTED_MAX = 5;
const STEP_NAMED = /\bsteps\s*\.\s*\??([A-Za-z_]\w*)/dg;

/** The name after `steps.` that begins at `offset`. */
function stepNamedAt(source: string, offset: number): string | undefined {
  return [...source.matchAll(STEP_NAMED)].find(({ indices }) => indices?.[1]?.[0] === offset)?.[1];
}

/** `input` and, of all steps, those that `source` may name: a vocabulary of thousands takes its time with each expression. */
function vocabularyFor({ types, vocabularies }: Linking, source: string): Vocabulary {
  const names = new Set([...source.matchAll(STEP_NAMED)].map(([, name = '']) => name));
  const fields: Map<string, { readonly type: CelType; readonly required: boolean }> = new Map();
  for (const name of [...names].toSorted()) {
    const field = types.steps.fields.get(name);
    if (field !== undefined) fields.set(name, field);
  }
  const key = [...fields.keys()].join(' ');
  const known = vocabularies.get(key);
  if (known !== undefined) return known;
  const vocabulary = new Map<string, CelType>([
    ['input', types.input],
    ['steps', { kind: 'object', fields }],
  ]);
  vocabularies.set(key, vocabulary);
  return vocabulary;
}

/** Adds the steps that `node` reads to `reads`, each with where; answers a use of `steps` that names none. */
export function readsOf(node: Node, reads: Map<string, number>): Node | undefined {
  if (node.kind === 'variable') return node.name === 'steps' ? node : undefined;
  if ((node.kind === 'member' || node.kind === 'has') && isSteps(node.target)) {
    reads.set(node.name, node.offset);
    return undefined;
  }
  for (const child of childrenOf(node)) {
    const dynamic = readsOf(child, reads);
    if (dynamic !== undefined) return dynamic;
  }
  return undefined;
}

function isSteps(node: Node): boolean {
  return node.kind === 'variable' && node.name === 'steps';
}

export function refuse(linking: Linking, place: Place, code: string, message: string, hint?: string): undefined {
  linking.issues.push(issueAt(linking.file, 'error', place, code, message, hint));
}
