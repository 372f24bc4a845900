/** What is wrong with a call's arguments, for a model: names and shapes, never the values it sent. */

import type { OutputUnit } from '@cfworker/json-schema';
import type { TextConstraint } from './schema-text.ts';

/** `pointer` names the argument (RFC 6901), empty for the arguments as a whole. */
export interface SchemaProblem {
  readonly pointer: string;
  readonly message: string;
}

const PROBLEMS_MAX = 8;
const TEXT_MAX = 200;
/** They only say that something inside them failed, which has an error of its own. */
const OUTER: ReadonlySet<string> = new Set([
  '$ref',
  '$recursiveRef',
  'properties',
  'patternProperties',
  'items',
  'prefixItems',
  'additionalItems',
  'allOf',
  'if',
  'dependentSchemas',
]);

/** The validator's errors as problems, innermost ones only, the first few of them. */
export function problemsOf(
  errors: readonly OutputUnit[],
  texts: ReadonlyMap<string, TextConstraint>,
): readonly SchemaProblem[] {
  const problems = new Map<string, SchemaProblem>();
  for (const error of errors) {
    if (OUTER.has(error.keyword) || error.keyword === 'false') continue;
    const problem = { pointer: pointerOf(error.instanceLocation), message: messageOf(error, texts).slice(0, TEXT_MAX) };
    problems.set(`${problem.pointer} ${problem.message}`, problem);
    if (problems.size >= PROBLEMS_MAX) break;
  }
  return problems.size > 0 ? [...problems.values()] : [{ pointer: '', message: 'does not match its schema' }];
}

/** From the validator's `#/a%20b/0` to RFC 6901. */
function pointerOf(location: string): string {
  try {
    return decodeURIComponent(location.replace(/^#/u, ''));
  } catch {
    return location;
  }
}

function messageOf(error: OutputUnit, texts: ReadonlyMap<string, TextConstraint>): string {
  const quoted = /"(.*)"/su.exec(error.error)?.[1] ?? '';
  const last = / ([^ ]+)\.$/u.exec(error.error)?.[1] ?? '';
  switch (error.keyword) {
    case 'required':
      return `lacks \`${quoted}\``;
    case 'additionalProperties':
    case 'unevaluatedProperties':
      return `has \`${quoted}\`, which is not among its properties`;
    case 'type':
      return typeMessage(error.error);
    case 'enum':
    case 'const':
      return `must be ${error.error.replace(/^Instance does not match (?:any of )?/u, '').replace(/\.$/u, '')}`;
    case 'minimum':
      return `must be at least ${last}`;
    case 'maximum':
      return `must be at most ${last}`;
    case 'exclusiveMinimum':
      return `must be more than ${last}`;
    case 'exclusiveMaximum':
      return `must be less than ${last}`;
    case 'multipleOf':
      return `must be a multiple of ${last}`;
    case 'format':
      return textMessage(texts.get(quoted));
    default:
      return error.error.charAt(0).toLowerCase() + error.error.slice(1).replace(/\.$/u, '');
  }
}

function typeMessage(text: string): string {
  const match = /^Instance type "([^"]*)" is invalid\. Expected "(.*)"\.$/u.exec(text);
  return `must be ${(match?.[2] ?? 'another type').replaceAll('", "', ' or ')}, is ${match?.[1] ?? 'not'}`;
}

function textMessage(constraint: TextConstraint | undefined): string {
  const parts = [];
  if (constraint?.pattern !== undefined) parts.push(`match \`${constraint.pattern}\``);
  if (constraint?.format !== undefined) parts.push(`have the format \`${constraint.format}\``);
  return `must ${parts.join(' and ')}`;
}
