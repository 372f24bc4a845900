/** Drives the cases of the corpus through `transition` alone. */

import assert from 'node:assert/strict';
import { isOver } from '../src/program/transition.ts';
import { policyOf, programIn } from './program-catalog.ts';
import type { Observed, ProgramCase } from './program-corpus.ts';
import { happen, isNow } from './program-outside.ts';
import { type Driving, type History, type Run, settle, start } from './program-runs.ts';
import { scriptOf } from './program-script.ts';

const START = Date.UTC(2026, 0, 1);

/** In memory, or (`replays`) with every state made again from all events before each of them. */
export function driveTransition(
  each: ProgramCase,
  replays: boolean,
): Observed & { readonly histories: readonly History[] } {
  const policy = policyOf(each);
  const compiled = programIn(each, policy);
  const script = scriptOf(each, policy);
  const nothing = { path: [], calls: [], asked: [], denied: [], undone: [], notUndone: [], runs: {}, moved: [] };
  if (!compiled.ok) {
    const issues = compiled.issues.filter(({ severity }) => severity === 'error');
    return { ...nothing, issues: issues.map(({ code, line }) => [code, line]), histories: [] };
  }
  const driving: Driving = {
    each,
    policy,
    script,
    children: compiled.children,
    runs: new Map(),
    coming: [],
    replays,
    now: START,
    last: START,
  };
  const run = start(driving, '', compiled.value, each.input);
  const moved = each.outside.map((event) => {
    settle(driving, () => isNow(driving, event));
    assert.ok(isNow(driving, event), `${each.title}: the run never comes to ${JSON.stringify(event)}`);
    return happen(driving, event);
  });
  settle(driving, () => false);
  return { ...observed(driving, run), moved, histories: [...driving.runs.values()] };
}

function observed({ script, runs }: Driving, run: Run): Omit<Observed, 'moved'> {
  const { status, ending, notUndone, spent } = run.state;
  const { output, because, failure } = (isOver(run.state) ? ending : undefined) ?? {};
  const { steps, attempts, tokens, microUsd, activeMs } = spent;
  const others = [...runs].filter(([command]) => command !== '');
  return {
    status,
    ...(output === undefined ? {} : { output }),
    ...(because === undefined ? {} : { because }),
    path: run.path,
    calls: script.calls,
    asked: script.asked,
    denied: script.denied,
    undone: run.undone,
    notUndone,
    ...(failure === undefined ? {} : { failure: [failure.step, failure.code] }),
    spent: { steps, attempts, tokens, usd: microUsd / 1_000_000, time: activeMs },
    runs: Object.fromEntries(others.map(([id, { state, path }]) => [id, { status: state.status, path }])),
  };
}
