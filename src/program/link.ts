/** From what is written to what runs: every expression typed, every name looked up. */

import { typeOfSchema } from '../expression/schema.ts';
import { type CelType, DYN, type ObjectType, STRING } from '../expression/type.ts';
import { alike } from '../document/alike.ts';
import { issueList } from '../document/issue-list.ts';
import { shown } from '../document/reader.ts';
import { type Located, locate } from '../document/source.ts';
import { type Parsed, type Place, issueAt } from '../value/issue.ts';
import { type Digest, digestOf } from '../value/digest.ts';
import { type JsonObject, isJsonObject } from '../value/json.ts';
import type { Catalog } from './catalog.ts';
import { checkArgs } from './check-args.ts';
import { type Linking, type Own, linkExpression, refuse } from './link-expression.ts';
import { actionsOf } from './graph.ts';
import { linkProperties } from './link-property.ts';
import type { Action, Program, ProgramTypes, Step, ToolEffect } from './program.ts';
import { readerOfAnswers } from './answer.ts';
import type { Template } from './template.ts';
import type { WrittenAction, WrittenProgram, WrittenStep, WrittenTemplate } from './written.ts';

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
  const properties = linkProperties(linking);
  const issues = issueList(linking.issues);
  if (issues.some(({ severity }) => severity === 'error')) return { ok: false, issues };
  const { name, version, input, events, limits, start, data } = written;
  const content = contentOf(data, steps);
  const digest = digestOf(content);
  const parts = { name, version, digest, content, input, events, limits, start: start.text, steps, properties, types };
  return { ok: true, value: parts, issues };
}

/** The document, and what it calls where it calls: then nothing that runs can change without its digest. */
function contentOf(document: JsonObject, steps: ReadonlyMap<string, Step>): JsonObject {
  const programs: Record<string, Digest> = {};
  for (const step of steps.values()) {
    for (const [, action] of actionsOf(step))
      if (action.kind === 'call') programs[action.program] = action.child.digest;
  }
  return Object.keys(programs).length === 0 ? document : { document, programs };
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
      // Members of a document have no order, and its digest knows none: branches begin by their names.
      const byName = [...step.branches].sort(([one], [other]) => (one < other ? -1 : 1));
      for (const [id, branch] of byName) {
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
      const undo = action.undo && undone && { ...effectOf(own, action.undo.tool), args: undone };
      const { tool, attempts, timeoutMs } = action;
      return (
        args && {
          kind: 'tool',
          ...effectOf(own, tool),
          args,
          attempts,
          timeoutMs,
          ...(undo === undefined ? {} : { undo }),
        }
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
      return input && child && { kind: 'call', program: action.program.text, child, input };
    }
  }
}

/** A tool that is not there is an error of its own. */
function effectOf({ catalog }: Own, { text }: Located): { readonly tool: string; readonly effect: ToolEffect } {
  return { tool: text, effect: catalog.tool(text)?.effect ?? 'irreversible' };
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
  const name = shown(model.text);
  const place = locate(model, 0);
  if (has === true) return checkPrice(own, model, what);
  if (has === false) {
    const hint = 'declare it under `models` of the configuration';
    return refuse(own, place, 'model-unknown', `${what} asks the model \`${name}\`, and there is none`, hint);
  }
  const message = `whether there is a model \`${name}\` cannot be told`;
  own.issues.push(issueAt(own.file, 'warning', place, 'model-unchecked', message));
}

/** Money that nobody counts cannot be limited: the limit that is written would hold of nothing. */
function checkPrice(own: Own, model: Located, what: string): void {
  const { limits } = own.written.data;
  const isLimited = limits !== undefined && isJsonObject(limits) && Object.hasOwn(limits, 'usd');
  if (!isLimited || own.catalog.hasPrice?.(model.text) !== false) return;
  const message = `${what} asks the model \`${shown(model.text)}\`, which has no price, and \`limits\` has \`usd\``;
  refuse(own, locate(model, 0), 'price-missing', message, 'give the model a `price`, or limit `tokens` alone');
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

function tell(own: Own, place: Place, problems: readonly string[], what: string): void {
  for (const problem of problems) refuse(own, place, 'type-mismatch', `${what}: ${problem}`);
}
