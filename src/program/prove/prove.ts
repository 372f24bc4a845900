/** Proofs: whether every run of a program, with those that it calls, keeps each of its properties. */

import type { Expression } from '../../expression/compile.ts';
import type { Place } from '../../value/issue.ts';
import { actionsOf } from '../graph.ts';
import type { Action, Program } from '../program.ts';
import type { Property } from '../property.ts';
import { type Following, knowledgeOf } from './knowledge.ts';
import type { PathEntry } from './path.ts';
import { type Search, searchBreach } from './search.ts';
import type { Scene } from './stand.ts';
import { type Watch, watchOf } from './watch.ts';

export type PropertyProof = { readonly sentence: string; readonly place: Place } & (
  | { readonly proved: true }
  /** How it may be broken, with the fewest steps; nothing where there was too much to look at. */
  | { readonly proved: false; readonly counterexample: readonly PathEntry[] | undefined }
);

export interface ProveOptions {
  /** Places that are looked at for one property. */
  readonly placesMax?: number;
}

const PLACES_MAX = 400_000;

/**
 * Each property of `program`, over all its runs: every answer of tools, models, people and events, every order of
 * branches, every cancellation and what is undone then. Conditions are followed where they compare values with literals
 * and are open where not, so that `proved` is never wrong. Pure; bounded by `placesMax` for each property.
 */
export function proveProgram(
  program: Program,
  { placesMax = PLACES_MAX }: ProveOptions = {},
): readonly PropertyProof[] {
  return program.properties.map((property) => {
    const { sentence, place } = property;
    const found = prove(program, property, placesMax);
    if (found.kind === 'proved') return { sentence, place, proved: true };
    const counterexample = found.kind === 'broken' ? found.path : undefined;
    return { sentence, place, proved: false, counterexample };
  });
}

/**
 * First with all conditions open, which is quick; what is proved so is proved. What is not is looked at again with values
 * followed, and with fewer, less exactly, where that leads to too many places: more ways are possible then, never fewer.
 */
function prove(program: Program, property: Property, placesMax: number): Search {
  const open = searchBreach(property, sceneOf(program, property, 'none'), placesMax);
  if (open.kind !== 'broken') return open;
  const followed = searchBreach(property, sceneOf(program, property, 'all'), placesMax / 4);
  if (followed.kind !== 'too-large') return followed;
  const found = searchBreach(property, sceneOf(program, property, 'property'), placesMax);
  return found.kind === 'too-large' ? open : found;
}

function sceneOf(program: Program, property: Property, following: Following): Scene {
  const watch = watchOf(property);
  const condition = property.kind === 'at-most' ? undefined : property.when;
  const scenes = new Map<Program, Scene | undefined>();
  const concerns = concernOf(watch);
  const make = (of: Program, isOwn: boolean, when: Expression | undefined): Scene => ({
    program: of,
    knowledge: knowledgeOf(of, when, following),
    watch,
    isOwn,
    concerns: concerns.action,
    child: (called) => {
      if (!scenes.has(called))
        scenes.set(called, concerns.program(called) ? make(called, false, undefined) : undefined);
      return scenes.get(called);
    },
  });
  return make(program, true, condition);
}

/** Whether a call makes a difference to `watch`, or one in a program that is called. */
function concernOf(watch: Watch): {
  readonly action: (action: Action) => boolean;
  readonly program: (program: Program) => boolean;
} {
  const known = new Map<Program, boolean>();
  const ofAction = (action: Action): boolean => {
    switch (action.kind) {
      case 'tool':
        return watch.concernsTool(action.tool) || (action.undo !== undefined && watch.concernsTool(action.undo.tool));
      case 'llm':
        return action.models.some((model) => watch.concernsTool(`llm.${model}`));
      case 'call':
        return ofProgram(action.child);
    }
  };
  const ofProgram = (program: Program): boolean => {
    const before = known.get(program);
    if (before !== undefined) return before;
    const found = [...program.steps.values()].some((step) => actionsOf(step).some(([, action]) => ofAction(action)));
    known.set(program, found);
    return found;
  };
  return { action: ofAction, program: ofProgram };
}

const unproved = new WeakMap<Program, readonly string[]>();

/** The properties of `program` that are not proved, as they are written; looked for once for each program. */
export function unprovedOf(program: Program): readonly string[] {
  const known = unproved.get(program);
  if (known !== undefined) return known;
  const found = proveProgram(program).flatMap(({ sentence, proved }) => (proved ? [] : [sentence]));
  unproved.set(program, found);
  return found;
}
