/** A property as what follows a run and notices when it is broken. */

import type { Property, PropertyName } from '../property.ts';

/** Something that begins, or is done, by the names that it has. */
export interface Happening {
  /** A step of the program itself, not of one that it calls. */
  readonly step?: string;
  readonly tool?: string;
  /** The run comes to an `end: success`. */
  readonly isSuccess?: boolean;
  /** How many calls of it may be sent, where it is a call. */
  readonly sends?: number;
  /** A model is asked again: the call begins, and the step has begun before. */
  readonly isAgain?: boolean;
}

export const BROKEN = -1;

/** Where a property stands is a small number, 0 at first. */
export interface Watch {
  /** Where it stands after `happening` has begun; `mayHold` tells whether the condition of the property may be true now. */
  begins(stand: number, happening: Happening, mayHold: () => boolean): number;
  /** Where it stands after `happening` is done. */
  isDone(stand: number, happening: Happening): number;
  /** Whether calls of the tool make a difference. */
  concernsTool(tool: string): boolean;
  /** Whether every attempt of the step does. */
  countsStep(step: string): boolean;
  /** The most that calls can be counted up to. */
  readonly countMax: number;
}

export function watchOf(property: Property): Watch {
  const { name } = property;
  const names = [name, ...(property.kind === 'only-after' ? [property.after] : [])];
  if (property.kind === 'never-then') names.push(property.first);
  const common = {
    concernsTool: (tool: string) => names.some((each) => each.kind === 'tool' && each.tool === tool),
    countsStep: (step: string) => property.kind === 'at-most' && name.kind === 'step' && name.id === step,
    countMax: property.kind === 'at-most' ? property.times : 0,
    isDone: (stand: number) => stand,
  };
  switch (property.kind) {
    case 'only-after':
      return {
        ...common,
        begins: (stand, happening, mayHold) => (stand === 0 && isBegun(name, happening) && mayHold() ? BROKEN : stand),
        isDone: (stand, happening) => (isNamed(property.after, happening) ? 1 : stand),
      };
    case 'never':
      return {
        ...common,
        begins: (stand, happening, mayHold) => (isBegun(name, happening) && mayHold() ? BROKEN : stand),
      };
    case 'never-then':
      return {
        ...common,
        begins: (stand, happening, mayHold) => {
          if (stand === 1 && isBegun(name, happening) && mayHold()) return BROKEN;
          return isBegun(property.first, happening) ? 1 : stand;
        },
      };
    case 'at-most':
      return {
        ...common,
        begins: (stand, happening) => {
          const after = isNamed(name, happening) ? stand + (happening.sends ?? 1) : stand;
          return after > property.times ? BROKEN : after;
        },
      };
  }
}

function isNamed(name: PropertyName, { step, tool, isSuccess }: Happening): boolean {
  switch (name.kind) {
    case 'step':
      return name.id === step;
    case 'tool':
      return name.tool === tool;
    case 'success':
      return isSuccess === true;
  }
}

/** A step begins once for each visit, however often its model is asked. */
function isBegun(name: PropertyName, happening: Happening): boolean {
  return isNamed(name, happening) && !(name.kind === 'step' && happening.isAgain === true);
}
