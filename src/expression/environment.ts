/** A vocabulary as the checker of the library knows it, and its answers in our types. */

import { DECLARED, DECLARED_OPERATORS, NAMESPACES } from './functions.ts';
import { namespaceType } from './function.ts';
import type { Ast, TypeDeclaration } from './parse.ts';
import { checkedTypeOf, Grammar } from './parse.ts';
import type { CelType, ObjectType, Vocabulary } from './type.ts';
import { DYN } from './type.ts';

/** Types and names of one vocabulary. */
export interface Environment {
  readonly grammar: Grammar;
  /** By variable: the library's name of its type. */
  readonly typeNames: ReadonlyMap<string, string>;
  /** The type the checker found for a node; `dyn` where it did not look. */
  typeOf(node: Ast): CelType;
}

/** The library's own namespaces keep their types. */
const OWN_NAMESPACES = [...NAMESPACES].filter((name) => name !== 'optional');

const FUNCTIONS_GRAMMAR = new Grammar({
  functions: DECLARED,
  operators: DECLARED_OPERATORS,
  namespaces: OWN_NAMESPACES.map(namespaceType),
  objects: new Map(),
  variables: new Map([
    ...OWN_NAMESPACES.map((name) => [name, namespaceType(name)] as const),
    ['optional_type', 'type'],
  ]),
});

const OBJECT_PREFIX = 'Object.';

/** Whether a type of the library is one of our objects. */
export function isObjectType(declaration: TypeDeclaration): boolean {
  return declaration.kind === 'message' && declaration.name.startsWith(OBJECT_PREFIX);
}

const opened = new WeakMap<Vocabulary, Environment>();

/** The environment of `vocabulary`, made once for each vocabulary object. */
export function openEnvironment(vocabulary: Vocabulary): Environment {
  const known = opened.get(vocabulary);
  if (known !== undefined) return known;
  const environment = makeEnvironment(vocabulary);
  opened.set(vocabulary, environment);
  return environment;
}

function makeEnvironment(vocabulary: Vocabulary): Environment {
  const names = new Map<ObjectType, string>();
  const objects = new Map<string, Record<string, string>>();
  const nameOf = (type: CelType): string => {
    switch (type.kind) {
      case 'timestamp':
        return 'google.protobuf.Timestamp';
      case 'duration':
        return 'google.protobuf.Duration';
      case 'list':
        return `list<${nameOf(type.item)}>`;
      case 'map':
        return `map<${nameOf(type.key)}, ${nameOf(type.value)}>`;
      case 'object':
        return names.get(type) ?? declare(type);
      default:
        return type.kind;
    }
  };
  // The library wants an object's members declared before the object.
  const declare = (type: ObjectType): string => {
    const fields = Object.fromEntries(Array.from(type.fields, ([name, field]) => [name, nameOf(field.type)]));
    const name = `${OBJECT_PREFIX}${objects.size}`;
    objects.set(name, fields);
    names.set(type, name);
    return name;
  };
  const typeNames = new Map(Array.from(vocabulary, ([name, type]) => [name, nameOf(type)]));
  const plain = new Map([...typeNames].filter(([name]) => !name.includes('.')));
  const grammar = new Grammar(
    { functions: [], operators: [], namespaces: [], objects, variables: plain },
    FUNCTIONS_GRAMMAR,
  );
  const types = new Map(Array.from(names, ([type, name]) => [name, type]));
  return {
    grammar,
    typeNames,
    typeOf: (node) => {
      const declaration = checkedTypeOf(node);
      return declaration === undefined ? DYN : typeFrom(declaration, types);
    },
  };
}

const SCALARS: ReadonlyMap<string, CelType> = new Map<string, CelType>([
  ['bool', { kind: 'bool' }],
  ['int', { kind: 'int' }],
  ['uint', { kind: 'uint' }],
  ['double', { kind: 'double' }],
  ['string', { kind: 'string' }],
  ['bytes', { kind: 'bytes' }],
  ['null', { kind: 'null' }],
  ['type', { kind: 'type' }],
  ['google.protobuf.Timestamp', { kind: 'timestamp' }],
  ['google.protobuf.Duration', { kind: 'duration' }],
]);

function typeFrom(declaration: TypeDeclaration, objects: ReadonlyMap<string, ObjectType>): CelType {
  const { kind, name, keyType, valueType } = declaration;
  if (kind === 'list' && valueType !== undefined) return { kind: 'list', item: typeFrom(valueType, objects) };
  if (kind === 'map' && keyType !== undefined && valueType !== undefined) {
    return { kind: 'map', key: typeFrom(keyType, objects), value: typeFrom(valueType, objects) };
  }
  return objects.get(name) ?? SCALARS.get(name) ?? DYN;
}

/** Types inside one another that a message shows. */
const SHOWN_DEPTH = 4;

/** One of the library's types as people write it: `list(string)`, `object`, `optional(int)`. */
export function declarationText(declaration: TypeDeclaration | undefined, depth = 0): string {
  if (declaration === undefined) return 'dyn';
  if (depth > SHOWN_DEPTH) return '…';
  const { kind, name, keyType, valueType } = declaration;
  if (isObjectType(declaration)) return 'object';
  if (kind === 'list' || kind === 'optional') return `${kind}(${declarationText(valueType, depth + 1)})`;
  if (kind === 'map') return `map(${declarationText(keyType, depth + 1)}, ${declarationText(valueType, depth + 1)})`;
  return SCALARS.get(name)?.kind ?? 'dyn';
}
