/** What runs of a program bring, as types: its input, and what each step leaves. */

import type { JsonObject, JsonValue } from '../value/json.ts';

/** What a run of the program `P`, as `defineProgram` gives it, takes. */
export type ProgramInput<P> = P extends { readonly input: infer Schema } ? OfSchema<Schema> : JsonObject;

/** What the step `Id` of `P` leaves under `steps.ID.output`; never what leaves nothing. What tools answer is any JSON. */
export type StepOutput<P extends { readonly steps: object }, Id extends keyof P['steps']> = OfStep<P['steps'][Id], P>;

type OfStep<T, P> = T extends { readonly ask: unknown }
  ? { readonly answer: 'yes' | 'no' | 'expired' }
  : T extends { readonly wait: infer Event extends string }
    ? P extends { readonly events: Readonly<Record<Event, infer Schema>> }
      ? OfSchema<Schema>
      : JsonValue
    : T extends { readonly parallel: infer Branches }
      ? { readonly [Name in keyof Branches]: OfAction<Branches[Name]> }
      : T extends { readonly choose: unknown } | { readonly end: unknown }
        ? never
        : OfAction<T>;

type OfAction<T> = T extends { readonly outputs: readonly (infer Word)[] }
  ? Word
  : T extends { readonly schema: infer Schema }
    ? OfSchema<Schema>
    : T extends { readonly llm: unknown }
      ? string
      : JsonValue;

/** Values that a JSON Schema takes, as far as `const`, `enum`, `type`, `properties`, `required` and `items` say. */
type OfSchema<S> = S extends { readonly const: infer Value }
  ? Value
  : S extends { readonly enum: readonly (infer Value)[] }
    ? Value
    : S extends { readonly type: 'object'; readonly properties: infer Members }
      ? OfMembers<Members, S extends { readonly required: readonly (infer Name)[] } ? Name : never>
      : S extends { readonly type: 'array'; readonly items: infer Item }
        ? readonly OfSchema<Item>[]
        : S extends { readonly type: infer Name extends keyof OfType }
          ? OfType[Name]
          : JsonValue;

type OfMembers<Members, Required> = {
  readonly [Name in Extract<keyof Members, Required>]: OfSchema<Members[Name]>;
} & { readonly [Name in Exclude<keyof Members, Required>]?: OfSchema<Members[Name]> };

interface OfType {
  string: string;
  number: number;
  integer: number;
  boolean: boolean;
  null: null;
  object: JsonObject;
  array: readonly JsonValue[];
}
