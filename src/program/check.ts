/** What is wrong with a program as a whole: steps that nothing leads to, ways that lead nowhere, values that are not there. */

import type { Expression } from '../expression/compile.ts';
import { type Node, childrenOf } from '../expression/tree.ts';
import { issueList } from '../document/issue-list.ts';
import { shown } from '../document/reader.ts';
import { locate } from '../document/source.ts';
import { type Issue, issueAt } from '../value/issue.ts';
import { type Catalog, modelToolName } from './catalog.ts';
import { isCovering } from './cover.ts';
import { type Dominance, dominanceOf } from './dominance.ts';
import { actionsOf, edgesOf, leadingTo, leadingToEach, reachable } from './graph.ts';
import type { Action, Program, Step } from './program.ts';
import { type Template, expressionsOf } from './template.ts';
import type { WrittenProgram } from './written.ts';

interface Checking {
  readonly file: string;
  readonly program: Program;
  readonly written: WrittenProgram;
  readonly catalog: Catalog;
  readonly issues: Issue[];
}

/** Problems of a program that was linked, in the order of the file; those that stop it are errors. */
export function checkProgram(
  program: Program,
  written: WrittenProgram,
  file: string,
  catalog: Catalog,
): readonly Issue[] {
  const checking: Checking = { file, program, written, catalog, issues: [] };
  checkWays(checking);
  checkIdleLoops(checking);
  checkValues(checking);
  for (const step of program.steps.values()) checkStep(checking, step);
  checkEvents(checking);
  return issueList(checking.issues);
}

/** Every step can be reached, and from every one an end. */
function checkWays(checking: Checking): void {
  const { program } = checking;
  const found = reachable(program, program.start);
  const ends = [...program.steps.values()].filter(({ kind }) => kind === 'end').map(({ id }) => id);
  const leading = leadingTo(program, ends);
  for (const { id } of program.steps.values()) {
    if (!found.has(id)) note(checking, 'error', id, 'step-unreachable', `nothing leads to step \`${id}\``);
    else if (!leading.has(id)) {
      const hint = 'let some way lead to a step that says `end`';
      note(checking, 'error', id, 'no-end', `from step \`${id}\` no way leads to an end`, hint);
    }
  }
}

/** A cycle in which nothing but choices is made can never find anything new. */
function checkIdleLoops(checking: Checking): void {
  const { steps } = checking.program;
  const state = new Map<string, 'open' | 'done'>();
  for (const first of steps.keys()) {
    const stack: { readonly id: string; readonly rest: string[] }[] = [];
    const enter = (id: string): void => {
      const step = steps.get(id);
      if (step?.kind !== 'choose' || state.get(id) === 'done') return;
      if (state.get(id) === 'open') {
        const hint = 'a step between them must do or learn something';
        note(checking, 'error', id, 'loop-idle', `step \`${id}\` comes back to itself by nothing but choices`, hint);
        return;
      }
      state.set(id, 'open');
      stack.push({ id, rest: edgesOf(step).flatMap(({ to }) => to ?? []) });
    };
    enter(first);
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const next = top.rest.pop();
      if (next !== undefined) enter(next);
      else {
        state.set(top.id, 'done');
        stack.pop();
      }
    }
  }
}

/** What an expression reads has been left before, on some way, and on every way unless it asks with `has()`. */
function checkValues(checking: Checking): void {
  const { program } = checking;
  const dominance = dominanceOf(program);
  const used = new Set<string>();
  const leading = leadingToEach(program);
  for (const step of program.steps.values()) {
    for (const expression of stepExpressions(step)) {
      const guarded = guardedIn(expression.root);
      for (const read of readsIn(expression.root)) {
        used.add(read);
        checkRead(checking, { step, read, expression, isGuarded: guarded.has(read), dominance, leading });
      }
    }
  }
  for (const step of program.steps.values()) {
    if (used.has(step.id) || !isForItsOutput(checking, step)) continue;
    const hint = 'it is paid for, or waited for, and nothing depends on it';
    note(checking, 'warning', step.id, 'output-unused', `nobody reads the output of step \`${step.id}\``, hint);
  }
}

interface Reading {
  readonly step: Step;
  readonly read: string;
  readonly expression: Expression;
  readonly isGuarded: boolean;
  readonly dominance: Dominance;
  readonly leading: ReturnType<typeof leadingToEach>;
}

function checkRead(checking: Checking, { step, read, expression, isGuarded, dominance, leading }: Reading): void {
  if (dominance.hasLeft(read, step.id)) return;
  const source = `\`${shown(expression.source)}\` of step \`${step.id}\``;
  const isOwn = read === step.id;
  const other = checking.program.steps.get(read);
  if (isOwn && isUndoOf(step, expression)) return;
  if (other === undefined || !(isOwn ? comesAgain(checking, step, leading) : leading(step)(other))) {
    const message = `${source} reads \`steps.${read}\`, which cannot have been left before`;
    return note(checking, 'error', step.id, 'value-never', message);
  }
  if (isGuarded) return;
  const hint = `ask first: \`has(steps.${read}) && …\`, or let every way pass it`;
  const message = `${source} reads \`steps.${read}\`, which is not there on every way; then the step fails`;
  note(checking, 'warning', step.id, 'value-optional', message, hint);
}

/** Whether a run may come to `step` after it has left its output. */
function comesAgain({ program }: Checking, step: Step, leading: Reading['leading']): boolean {
  return edgesOf(step).some(({ kind, to }) => {
    const after = kind === 'done' && to !== undefined ? program.steps.get(to) : undefined;
    return after !== undefined && leading(step)(after);
  });
}

/** What undoes a step reads what it has left. */
function isUndoOf(step: Step, expression: Expression): boolean {
  return actionsOf(step).some(
    ([, action]) =>
      action.kind === 'tool' && action.undo !== undefined && [...expressionsOf(action.undo.args)].includes(expression),
  );
}

/** A step that is there for what it brings, not for what it does. */
function isForItsOutput({ catalog }: Checking, step: Step): boolean {
  if (step.kind === 'llm') return true;
  return step.kind === 'tool' && catalog.tool(step.tool)?.effect === 'read';
}

function checkStep(checking: Checking, step: Step): void {
  const { catalog } = checking;
  for (const [, action] of actionsOf(step)) {
    for (const tool of toolsOf(action)) {
      const denied = catalog.denied(tool);
      if (denied === undefined) continue;
      const message = `step \`${step.id}\` calls \`${shown(tool)}\`, and no call of it is ever allowed: ${denied}`;
      note(checking, 'error', step.id, 'tool-denied', message);
    }
  }
  checkFailures(checking, step);
  if (step.kind === 'choose' && step.branches.at(-1)?.when !== undefined && !isCovering(checking.program, step)) {
    const hint = 'let the last branch have no `when`';
    const message = `step \`${step.id}\` fails where none of its conditions holds`;
    note(checking, 'error', step.id, 'choose-incomplete', message, hint);
  }
}

/** The tools that an action calls by itself. */
function toolsOf(action: Action): readonly string[] {
  if (action.kind === 'tool') return [action.tool];
  return action.kind === 'llm' ? action.models.map(modelToolName) : [];
}

/** What has effects may leave them behind when it fails. */
function checkFailures(checking: Checking, step: Step): void {
  if (!(step.kind === 'tool' || step.kind === 'parallel') || step.onError !== undefined) return;
  const isEffect = actionsOf(step).some(
    ([, action]) => action.kind === 'tool' && checking.catalog.tool(action.tool)?.effect !== 'read',
  );
  if (!isEffect) return;
  const hint = 'name the step that follows a failure with `on_error`';
  note(
    checking,
    'warning',
    step.id,
    'error-unhandled',
    `step \`${step.id}\` has effects, and where it fails the run ends`,
    hint,
  );
}

function checkEvents(checking: Checking): void {
  const waited = new Set(
    [...checking.program.steps.values()].flatMap((step) => (step.kind === 'wait' ? [step.event] : [])),
  );
  for (const event of checking.program.events.keys()) {
    if (waited.has(event)) continue;
    const message = `the event \`${shown(event)}\` is declared, and no step waits for it`;
    checking.issues.push(issueAt(checking.file, 'warning', locate(checking.written.start, 0), 'event-unused', message));
  }
}

/** Every expression of a step, those of its branches included. */
function* stepExpressions(step: Step): Generator<Expression, void> {
  for (const [, action] of actionsOf(step)) {
    if (action.kind === 'llm') yield* expressionsOf(action.prompt);
    if (action.kind === 'call') yield* expressionsOf(action.input);
    if (action.kind === 'tool') {
      yield* expressionsOf(action.args);
      if (action.undo !== undefined) yield* expressionsOf(action.undo.args);
    }
  }
  if (step.kind === 'choose') for (const { when } of step.branches) if (when !== undefined) yield when;
  const templates: (Template | undefined)[] =
    step.kind === 'ask' ? [step.show] : step.kind === 'end' ? [step.output, step.because] : [];
  for (const template of templates) if (template !== undefined) yield* expressionsOf(template);
}

function* readsIn(node: Node): Generator<string, void> {
  if (node.kind === 'member' && node.target.kind === 'variable' && node.target.name === 'steps') yield node.name;
  else for (const child of childrenOf(node)) yield* readsIn(child);
}

/** Steps that the expression asks for with `has()`, or reads as optional. */
function guardedIn(root: Node): ReadonlySet<string> {
  const guarded = new Set<string>();
  const nodes = [root];
  for (const node of nodes) {
    const isAsked = node.kind === 'has' || (node.kind === 'member' && node.optional);
    const steps = isAsked ? node.target : undefined;
    if (steps?.kind === 'variable' && steps.name === 'steps' && isAsked) guarded.add(node.name);
    nodes.push(...childrenOf(node));
  }
  return guarded;
}

function note(
  checking: Checking,
  severity: Issue['severity'],
  step: string,
  code: string,
  message: string,
  hint?: string,
): void {
  const place = checking.written.steps.get(step)?.place ?? { line: 1, column: 1 };
  checking.issues.push(issueAt(checking.file, severity, place, code, message, hint));
}
