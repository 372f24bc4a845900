/** Runs of programs over an authority in memory, with tools whose effects are counted outside of it. */

import type { Performed } from '../src/authority/answer.ts';
import type { Reach } from '../src/authority/proposal.ts';
import type { JsonObject } from '../src/value/json.ts';
import type { ProgramSource } from '../src/runtime/catalog.ts';
import type { RuntimeOptions } from '../src/runtime/deps.ts';
import { Runtime } from '../src/runtime/runtime.ts';
import type { RunView } from '../src/runtime/view.ts';
import { type Opening, type OpeningOptions, openWorld } from './authority-world.ts';

/** What a tool does: `effects` gets its name and arguments before. */
export type Tool = (args: JsonObject, nth: number) => Performed | Promise<Performed>;

export interface Effect {
  readonly tool: string;
  readonly args: JsonObject;
}

export interface RuntimeWorld extends Opening {
  readonly runtime: Runtime;
  readonly options: RuntimeOptions;
  /** What was carried out, in order; it outlives openings of the same world. */
  readonly done: Effect[];
  readonly lines: string[];
  /** Starts a run of the text, and waits until it rests. */
  run(text: string, input?: JsonObject): Promise<RunView>;
  /** Where a run stands once it rests. */
  rest(run: string): Promise<RunView>;
}

export interface RuntimeWorldOptions extends OpeningOptions {
  /** Without a `reach`. */
  readonly tools?: Readonly<Record<string, Tool>>;
  readonly programs?: Readonly<Record<string, string>>;
  readonly done?: Effect[];
  readonly alwaysReplay?: boolean;
  readonly principals?: () => readonly string[];
}

export const TIMEOUT_MS = 60_000;

export function succeeded(output: JsonObject = {}): Performed {
  return { kind: 'succeeded', output: { structuredContent: output } };
}

export async function openRuntimeWorld(options: RuntimeWorldOptions = {}): Promise<RuntimeWorld> {
  const { tools = {}, programs = {}, done = [], alwaysReplay = false, principals, ...more } = options;
  const lines: string[] = [];
  const reachTool = (tool: string): ReturnType<Reach> => {
    const act = tools[tool];
    if (act === undefined) return undefined;
    return {
      timeoutMs: TIMEOUT_MS,
      perform: async (args: JsonObject): Promise<Performed> => {
        const nth = done.filter((effect) => effect.tool === tool).length;
        done.push({ tool, args });
        return act(args, nth);
      },
    };
  };
  const { reach = reachTool } = more;
  const opening = await openWorld({ ...more, reach });
  const { authority, ledger, vault, world } = opening;
  const driven: RuntimeOptions = {
    authority,
    ledger,
    vault,
    world,
    reach,
    alwaysReplay,
    ...(principals === undefined ? {} : { principals }),
    programs: (name) => sourceOf(programs, name),
    log: (line) => lines.push(line),
  };
  const runtime = new Runtime(driven);
  const rest = async (run: string): Promise<RunView> => {
    await runtime.settled(run);
    const view = await runtime.get(run);
    if (view === undefined) throw new Error(`there is no run ${run}`);
    return view;
  };
  return {
    ...opening,
    runtime,
    options: driven,
    done,
    lines,
    rest,
    run: async (text, input = {}) => {
      const started = await runtime.start({ principal: 'local', source: { file: 'program.yaml', text }, input });
      if (!started.ok) throw new Error(`${started.code}: ${started.message}`);
      return rest(started.run);
    },
  };
}

function sourceOf(programs: Readonly<Record<string, string>>, name: string): ProgramSource | undefined {
  const text = programs[name];
  return text === undefined ? undefined : { file: `${name}.yaml`, text };
}
