/** Looks at every place that a run can come to, in the order of the steps that it takes to get there. */

import type { Property } from '../property.ts';
import { ERROR, YES, assume } from './formula.ts';
import { movesOf } from './moves.ts';
import { atStart } from './onward.ts';
import type { PathEntry } from './path.ts';
import { type Scene, type Stand, keyOf } from './stand.ts';
import { BROKEN } from './watch.ts';

export type Search =
  | { readonly kind: 'proved' }
  /** No path that comes to fewer steps of the program breaks the property. */
  | { readonly kind: 'broken'; readonly path: readonly PathEntry[] }
  | { readonly kind: 'too-large' };

/** A place, and how it was come to first. */
interface Reached {
  readonly stand: Stand;
  /** Where the property stands. */
  readonly watched: number;
  readonly before: Reached | undefined;
  readonly entry: PathEntry | undefined;
}

/** Whether some run of the program of `scene` breaks `property`; at most `placesMax` places are looked at. */
export function searchBreach(property: Property, scene: Scene, placesMax: number): Search {
  const { watch, knowledge } = scene;
  const condition = property.kind === 'at-most' ? undefined : property.when;
  const judged = condition && knowledge.judge(condition);
  const mayHold = ({ facts }: Stand): boolean =>
    judged === undefined || judged.mayExhaust || assume(judged.formula, YES | ERROR, facts).length > 0;
  const seen = new Set<string>();
  let looked = 0;
  let level: Reached[] = [{ stand: atStart(scene), watched: 0, before: undefined, entry: undefined }];
  while (level.length > 0) {
    const following: Reached[] = [];
    let broken: Reached | undefined;
    // What is added while the level is walked has come to no more steps, and is of it.
    for (const reached of level) {
      const { stand, watched } = reached;
      const key = `${watched} ${keyOf(stand)}`;
      if (seen.has(key)) continue;
      seen.add(key);
      looked += weightOf(stand);
      if (looked > placesMax) return { kind: 'too-large' };
      for (const { to, entry, begins, done } of movesOf(stand)) {
        const after = begins === undefined ? watched : watch.begins(watched, begins, () => mayHold(stand));
        const next = { stand: to, watched: after, before: reached, entry };
        if (after === BROKEN) {
          if (!entry.isStep) return { kind: 'broken', path: pathTo(next) };
          broken ??= next;
        } else {
          const place = done === undefined ? next : { ...next, watched: watch.isDone(after, done) };
          (entry.isStep ? following : level).push(place);
        }
      }
    }
    if (broken !== undefined) return { kind: 'broken', path: pathTo(broken) };
    level = following;
  }
  return { kind: 'proved' };
}

/** Places with many branches on their way take longer to look at. */
function weightOf({ at }: Stand): number {
  return at.kind === 'tasks' ? 1 + at.tasks.length / 8 : 1;
}

function pathTo(last: Reached): readonly PathEntry[] {
  const path: PathEntry[] = [];
  for (let at: Reached | undefined = last; at?.entry !== undefined; at = at.before) path.push(at.entry);
  return path.toReversed();
}
