/** How a run comes to break a property, as people read it. */

/** One thing that happens on the way. */
export interface PathEntry {
  /** `STEP`, `STEP/BRANCH`, `undo STEP`; in a program that STEP calls, `STEP > …`. */
  readonly step: string;
  /** What it does, or what comes of it: `calls mail.send`, `done`, the condition of the choice that is taken. */
  readonly what: string;
  /** Whether the run comes to a step of its own by it. */
  readonly isStep: boolean;
}

const WHAT_MAX = 100;

/** A line for each entry; those that come to a step are numbered. */
export function pathLines(path: readonly PathEntry[]): readonly string[] {
  const width = Math.max(0, ...path.map(({ step }) => step.length));
  const digits = `${path.length}.`.length;
  let steps = 0;
  return path.map(({ step, what, isStep }) => {
    if (isStep) steps += 1;
    const number = isStep ? `${steps}.` : '';
    const line = what.replaceAll(/\s+/gu, ' ');
    const shown = line.length > WHAT_MAX ? `${line.slice(0, WHAT_MAX)}…` : line;
    return `${number.padStart(digits)} ${step.padEnd(width)}  ${shown}`;
  });
}
