/** From what is written to what runs: every expression typed, every name looked up. */

import { type Expression, compile } from '../expression/compile.ts';
import { typeOfSchema } from '../expression/schema.ts';
import { type Node, childrenOf } from '../expression/tree.ts';
import { type CelType, DYN, type ObjectType, STRING, type Vocabulary } from '../expression/type.ts';
import { alike } from '../document/alike.ts';
import { issueList } from '../document/issue-list.ts';
import { shown } from '../document/reader.ts';
import { type Located, locate } from '../document/source.ts';
import { type Issue, type Parsed, type Place, issueAt } from '../value/issue.ts';
import { digestOf } from '../value/digest.ts';
import type { Catalog } from './catalog.ts';
import { checkArgs } from './check-args.ts';
import type { Action, Program, ProgramTypes, Step } from './program.ts';
import { readerOfAnswers } from './answer.ts';
import type { Template } from './template.ts';
import type { WrittenAction, WrittenProgram, WrittenStep, WrittenTemplate } from './written.ts';

/** What linking works with. Problems are collected, so that one look tells all of them. */
interface Linking {
  readonly file: string;
  readonly written: WrittenProgram;
  readonly catalog: Catalog;
  readonly types: ProgramTypes;
  /** By the steps that expressions name. */
  readonly vocabularies: Map<string, Vocabulary>;
  readonly issues: Issue[];
}

/** The program that `written` says over the tools, models and programs of `catalog`; or why there is none. */
export function linkProgram(written: WrittenProgram, file: string, catalog: Catalog): Parsed<Program> {
  const types: ProgramTypes = { input: inputType(written), steps: outputTypes(written, catalog) };
  const linking: Linking = { file, written, catalog, types, vocabularies: new Map(), issues: [] };
  const steps = new Map<string, Step>();
  checkTarget(linking, written.start, '`start`');
  for (const step of written.steps.values()) {
    const linked = linkStep(linking, step, steps.size);
    if (linked !== undefined) steps.set(step.id, linked);
  }
  const issues = issueList(linking.issues);
  if (issues.some(({ severity }) => severity === 'error')) return { ok: false, issues };
  const { name, version, input, events, limits, start, data } = written;
  const digest = digestOf(data);
  return {
    ok: true,
    value: { name, version, digest, document: data, input, events, limits, start: start.text, steps, types },
    issues,
  };
}

function inputType({ input }: WrittenProgram): ObjectType {
  const type = typeOfSchema(input);
  return type.kind === 'object' ? type : { kind: 'object', fields: new Map() };
}

/** `steps.ID.output`, of each step that leaves something. */
function outputTypes(written: WrittenProgram, catalog: Catalog): ObjectType {
  const fields = new Map<string, { readonly type: CelType; readonly required: boolean }>();
  for (const step of written.steps.values()) {
    const type = outputType(step, written, catalog);
    if (type !== undefined) fields.set(step.id, { type: record({ output: type }), required: true });
  }
  return { kind: 'object', fields };
}

function record(types: Readonly<Record<string, CelType>>): ObjectType {
  return {
    kind: 'object',
    fields: new Map(Object.entries(types).map(([name, type]) => [name, { type, required: true }])),
  };
}

function outputType(step: WrittenStep, { events }: WrittenProgram, catalog: Catalog): CelType | undefined {
  switch (step.kind) {
    case 'tool':
    case 'llm':
    case 'call':
      return actionType(step, catalog);
    case 'parallel':
      return record(Object.fromEntries([...step.branches].map(([id, action]) => [id, actionType(action, catalog)])));
    case 'ask':
      return record({ answer: STRING });
    case 'wait':
      return typeOfSchema(events.get(step.event.text) ?? {});
    case 'choose':
    case 'end':
      return undefined;
  }
}

function actionType(action: WrittenAction, catalog: Catalog): CelType {
  if (action.kind === 'llm') return action.schema === undefined ? STRING : typeOfSchema(action.schema);
  const output = action.kind === 'tool' ? catalog.tool(action.tool.text)?.outputSchema : undefined;
  return output === undefined ? DYN : typeOfSchema(output);
}

function linkStep(linking: Linking, step: WrittenStep, index: number): Step | undefined {
  const reads = new Set<string>();
  const own = { ...linking, reads };
  const what = `step \`${shown(step.id)}\``;
  const made = linkKind(own, step, what);
  return made && { ...made, id: step.id, index, reads: [...reads] };
}

/** A step without what all have in common. */
type Bare<T = Step> = T extends Step ? Omit<T, 'id' | 'index' | 'reads'> : never;

interface Own extends Linking {
  /** Steps whose outputs the expressions of the step read. */
  readonly reads: Set<string>;
}

function linkKind(own: Own, step: WrittenStep, what: string): Bare | undefined {
  switch (step.kind) {
    case 'tool':
    case 'llm':
    case 'call': {
      const onward = linkOnward(own, step, what);
      const action = linkAction(own, step, what);
      return action && { ...action, ...onward };
    }
    case 'choose': {
      const branches = step.branches.map(({ when, next }) => {
        const condition = when && linkExpression(own, when, `\`when\` of ${what}`, 'bool');
        return { next: checkTarget(own, next, what), ...(condition === undefined ? {} : { when: condition }) };
      });
      return { kind: 'choose', branches, ...linkError(own, step, what) };
    }
    case 'parallel': {
      const branches = new Map<string, Action>();
      for (const [id, branch] of step.branches) {
        const action = linkAction(own, branch, `branch \`${shown(id)}\` of ${what}`);
        if (action !== undefined) branches.set(id, action);
      }
      return { kind: 'parallel', branches, max: step.max, ...linkOnward(own, step, what) };
    }
    case 'ask': {
      const show = linkTemplate(own, step.show, 'show', what);
      const [yes, no, expired] = [step.yes, step.no, step.expired].map((each) => checkTarget(own, each, what));
      if (show === undefined || yes === undefined || no === undefined || expired === undefined) return undefined;
      return { kind: 'ask', approvers: step.approvers, show, timeoutMs: step.timeoutMs, yes, no, expired };
    }
    case 'wait': {
      checkEvent(own, step.event, what);
      const [next, expired] = [checkTarget(own, step.next, what), checkTarget(own, step.expired, what)];
      return { kind: 'wait', event: step.event.text, timeoutMs: step.timeoutMs, next, expired };
    }
    case 'end': {
      const output = step.output && linkTemplate(own, step.output, 'output', what);
      const because = step.because && linkTemplate(own, step.because, 'because', what);
      const more = { ...(output === undefined ? {} : { output }), ...(because === undefined ? {} : { because }) };
      return { kind: 'end', status: step.status, ...more };
    }
  }
}

function linkOnward(
  own: Own,
  step: { readonly next: Located; readonly onError?: Located },
  what: string,
): { readonly next: string; readonly onError?: string } {
  return { next: checkTarget(own, step.next, what), ...linkError(own, step, what) };
}

function linkError(own: Own, { onError }: { readonly onError?: Located }, what: string): { readonly onError?: string } {
  return onError === undefined ? {} : { onError: checkTarget(own, onError, what) };
}

function linkAction(own: Own, action: WrittenAction, what: string): Action | undefined {
  switch (action.kind) {
    case 'tool': {
      const args = linkCall(own, action, what);
      const undone = action.undo && linkCall(own, action.undo, `\`undo\` of ${what}`);
      const undo = action.undo && undone && { tool: action.undo.tool.text, args: undone };
      const { tool, attempts, timeoutMs } = action;
      return (
        args && { kind: 'tool', tool: tool.text, args, attempts, timeoutMs, ...(undo === undefined ? {} : { undo }) }
      );
    }
    case 'llm': {
      const { models, outputs, schema, mismatch, attempts, timeoutMs } = action;
      const prompt = linkTemplate(own, action.prompt, 'prompt', what);
      for (const model of models) checkModel(own, model, what);
      const [first, ...rest] = models.map(({ text }) => text);
      const { retry, otherwise } = mismatch;
      const then = otherwise === undefined ? {} : { otherwise: checkTarget(own, otherwise, what) };
      const gate = { ...(outputs === undefined ? {} : { outputs }), ...(schema === undefined ? {} : { schema }) };
      if (prompt === undefined || first === undefined) return undefined;
      const common = { mismatch: { retry, ...then }, attempts, timeoutMs };
      return { kind: 'llm', models: [first, ...rest], prompt, ...gate, read: readerOfAnswers(gate), ...common };
    }
    case 'call': {
      const child = own.catalog.program(action.program.text);
      const place = locate(action.program, 0);
      if (child === undefined) {
        refuse(
          own,
          place,
          'program-unknown',
          `${what} calls the program \`${shown(action.program.text)}\`, and there is none`,
        );
      }
      const input = linkTemplate(own, action.input, 'input', what);
      if (child !== undefined && input !== undefined) tell(own, place, checkArgs(input, child.input, 'input'), what);
      return input && { kind: 'call', program: action.program.text, input };
    }
  }
}

/** The arguments of a tool, which must be there and take them. */
function linkCall(
  own: Own,
  { tool, args }: { readonly tool: Located; readonly args: WrittenTemplate },
  what: string,
): Template | undefined {
  const found = own.catalog.tool(tool.text);
  const place = locate(tool, 0);
  if (found === undefined) {
    const near = alike(tool.text, own.catalog.tools);
    const hint = near === undefined ? 'name it as `server.tool`' : `did you mean \`${near}\`?`;
    refuse(own, place, 'tool-unknown', `${what} calls \`${shown(tool.text)}\`, and there is no such tool`, hint);
  }
  const linked = linkTemplate(own, args, 'args', what);
  if (found !== undefined && linked !== undefined) tell(own, place, checkArgs(linked, found.inputSchema, 'args'), what);
  return linked;
}

function checkModel(own: Own, model: Located, what: string): void {
  const has = own.catalog.hasModel(model.text);
  if (has === true) return;
  const name = shown(model.text);
  if (has === false) {
    return refuse(own, locate(model, 0), 'model-unknown', `${what} asks the model \`${name}\`, and there is none`);
  }
  const message = `whether there is a model \`${name}\` cannot be told`;
  const hint = 'a configuration cannot declare models yet';
  own.issues.push(issueAt(own.file, 'warning', locate(model, 0), 'model-unchecked', message, hint));
}

function checkEvent(own: Own, event: Located, what: string): void {
  const { events } = own.written;
  if (events.has(event.text)) return;
  const near = alike(event.text, [...events.keys()]);
  const hint =
    near === undefined ? 'declare it under `events`, with the schema of what it brings' : `did you mean \`${near}\`?`;
  refuse(
    own,
    locate(event, 0),
    'event-unknown',
    `${what} waits for \`${shown(event.text)}\`, which is not declared`,
    hint,
  );
}

/** The id of a step that is there; the text, with an error, when it is not. */
function checkTarget(linking: Linking, target: Located, what: string): string {
  const { steps } = linking.written;
  if (steps.has(target.text)) return target.text;
  const near = alike(target.text, [...steps.keys()]);
  const hint = near === undefined ? undefined : `did you mean \`${near}\`?`;
  const message = `${what} leads to \`${shown(target.text)}\`, and there is no such step`;
  refuse(linking, locate(target, 0), 'step-unknown', message, hint);
  return target.text;
}

/** `field` is where it stands in `what`, such as `args.amount`. */
function linkTemplate(own: Own, written: WrittenTemplate, field: string, what: string): Template | undefined {
  switch (written.kind) {
    case 'literal':
      return written;
    case 'text': {
      const parts = written.parts.map((part) =>
        typeof part === 'string' ? part : linkExpression(own, part, `\`${field}\` of ${what}`, 'any'),
      );
      if (!parts.every((part) => part !== undefined)) return undefined;
      const [only, more] = parts;
      if (more === undefined && only !== undefined && typeof only !== 'string')
        return { kind: 'expression', expression: only };
      return { kind: 'text', parts };
    }
    case 'list': {
      const items = written.items.map((item, index) => linkTemplate(own, item, `${field}[${index}]`, what));
      return items.every((item) => item !== undefined) ? { kind: 'list', items } : undefined;
    }
    case 'map': {
      const members = written.members.map(
        ([name, member]) => [name, linkTemplate(own, member, `${field}.${name}`, what)] as const,
      );
      const isWhole = members.every((member): member is readonly [string, Template] => member[1] !== undefined);
      return isWhole ? { kind: 'map', members } : undefined;
    }
  }
}

function linkExpression(own: Own, source: Located, what: string, expect: 'bool' | 'any'): Expression | undefined {
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
function readsOf(node: Node, reads: Map<string, number>): Node | undefined {
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

function tell(own: Own, place: Place, problems: readonly string[], what: string): void {
  for (const problem of problems) refuse(own, place, 'type-mismatch', `${what}: ${problem}`);
}

function refuse(linking: Linking, place: Place, code: string, message: string, hint?: string): undefined {
  linking.issues.push(issueAt(linking.file, 'error', place, code, message, hint));
}
