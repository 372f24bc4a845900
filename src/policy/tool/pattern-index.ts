/** Many patterns at once: which of them match a name, without trying those that name another tool. */

import { matches } from './pattern.ts';
import type { Pattern } from './pattern.ts';

export interface PatternIndex<T> {
  /** Those whose pattern matches `name`, in the order they were given. */
  find(name: string): readonly T[];
}

export function indexPatterns<T>(items: readonly T[], patternOf: (item: T) => Pattern): PatternIndex<T> {
  const exact = new Map<string, [number, T][]>();
  const open: [number, T][] = [];
  for (const entry of items.entries()) {
    const { text, runs } = patternOf(entry[1]);
    if (runs.length > 1) open.push(entry);
    else exact.set(text, [...(exact.get(text) ?? []), entry]);
  }
  return {
    find(name) {
      const found = [...(exact.get(name) ?? []), ...open.filter(([, item]) => matches(patternOf(item), name))];
      return found.toSorted((a, b) => a[0] - b[0]).map(([, item]) => item);
    },
  };
}
