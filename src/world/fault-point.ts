/** The named points of a call's life at which a test can end the process: nothing passes them but in such a test. */

/** Where the process can die between two writes, in the order of a call. */
export const STEPS = ['proposed', 'before-send', 'sent', 'answered', 'before-reply', 'replied'] as const;

/** Before a commit (`lost`) and after it (`landed`). */
export const SIDES = ['lost', 'landed'] as const;

/** A step; or a side of the commit of an entry, by its type, or of a `checkpoint`. */
export type FaultPoint = (typeof STEPS)[number] | `${string}/${(typeof SIDES)[number]}`;

export interface DieAt {
  readonly point: FaultPoint;
  /** At the how many-th passing, from 1 on. */
  readonly visit: number;
}

/** A `World.passing` that ends this process as SIGKILL does: no `finally`, no exit handler, no flush comes after it. */
export function dyingAt({ point, visit }: DieAt): (at: FaultPoint) => void {
  let visits = 0;
  return (at) => {
    if (at !== point) return;
    visits += 1;
    if (visits === visit) process.kill(process.pid, 'SIGKILL');
  };
}
