/** Variables and their values, by name and, for those who evaluate much, by place. */

import type { CelValue } from './value.ts';

/** Variables by name. A variable of the vocabulary that is missing here is an error where it is read. */
export type Bindings = Readonly<Record<string, CelValue>>;

/** Every name that a vocabulary ever had, with its place; they are few, for code makes vocabularies. */
const places = new Map<string, number>();

/** The place of the variable `name` in `Bound.values`, the same for all expressions. */
export function placeOf(name: string): number {
  const known = places.get(name);
  if (known !== undefined) return known;
  places.set(name, places.size);
  return places.size - 1;
}

/**
 * Bindings looked up once. Conditions that are evaluated with the same bindings, as the rules of one decision are, take
 * a `Bound` as well and need not look up each name again.
 */
export class Bound {
  readonly values: readonly (CelValue | undefined)[];

  constructor(bindings: Bindings) {
    const values: (CelValue | undefined)[] = [];
    for (const name of Object.keys(bindings)) {
      const place = placeOf(name);
      while (values.length <= place) values.push(undefined);
      values[place] = bindings[name];
    }
    this.values = values;
  }
}
