/** The types of conditions: CEL's own, and the ones a tool's input schema gives to `args`. */

export type CelType =
  | {
      readonly kind:
        | 'bool'
        | 'int'
        | 'uint'
        | 'double'
        | 'string'
        | 'bytes'
        | 'null'
        | 'timestamp'
        | 'duration'
        | 'type'
        | 'dyn';
    }
  | { readonly kind: 'list'; readonly item: CelType }
  | { readonly kind: 'map'; readonly key: CelType; readonly value: CelType }
  | ObjectType;

/** A JSON object with known members. A member that is not `required` may be absent at run time. */
export interface ObjectType {
  readonly kind: 'object';
  readonly fields: ReadonlyMap<string, { readonly type: CelType; readonly required: boolean }>;
}

/** The variables a condition may name, each with its type. */
export type Vocabulary = ReadonlyMap<string, CelType>;

export const DYN: CelType = { kind: 'dyn' };
export const STRING: CelType = { kind: 'string' };

/** A type as people write it: `list(string)`, `map(string, dyn)`, `object`. */
export function typeText(type: CelType): string {
  switch (type.kind) {
    case 'list':
      return `list(${typeText(type.item)})`;
    case 'map':
      return `map(${typeText(type.key)}, ${typeText(type.value)})`;
    default:
      return type.kind;
  }
}
