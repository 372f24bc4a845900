/** What the library complains of, in our words. */

import type { Environment } from './environment.ts';
import type { ExpressionIssue, ExpressionIssueCode } from './issue.ts';
import type { Ast, Complaint } from './parse.ts';
import { suggest } from './suggest.ts';
import { typeText } from './type.ts';
import type { CelType } from './type.ts';

interface Said {
  readonly code: ExpressionIssueCode;
  readonly message: string;
  readonly hint?: string | undefined;
}

/** The issue that `complaint` about `source` is. */
export function describe(complaint: Complaint, source: string, environment: Environment): ExpressionIssue {
  const { code, message, hint } =
    complaint.phase === 'parse' ? describeSyntax(complaint, source) : describeTypes(complaint, source, environment);
  return {
    code,
    severity: 'error',
    offset: Math.min(complaint.offset, source.length),
    message,
    ...(hint === undefined ? {} : { hint }),
  };
}

const TOKENS: ReadonlyMap<string, string> = new Map([
  ['EOF', 'the end'],
  ['RPAREN', '`)`'],
  ['RBRACKET', '`]`'],
  ['RBRACE', '`}`'],
  ['COLON', '`:`'],
  ['IDENTIFIER', 'a name'],
]);

function describeSyntax({ code, summary, offset }: Complaint, source: string): Said {
  switch (code) {
    case 'limit_exceeded':
      return summary.includes('maxDepth')
        ? { code: 'expression-too-deep', message: 'too many brackets inside one another' }
        : { code: 'expression-too-long', message: 'too many elements' };
    case 'unexpected_token':
    case 'unexpected_character':
    case 'expected_token': {
      const wanted = /^Expected (\w+),/.exec(summary)?.[1];
      const expected = TOKENS.get(wanted ?? '') ?? (code === 'unexpected_token' ? 'an operand' : 'an operator or the end');
      return { code: 'expression-syntax', message: `expected ${expected}, got ${found(source, offset)}`, hint: hintAt(source, offset) };
    }
    case 'reserved_identifier':
      return { code: 'expression-syntax', message: `${found(source, offset)} is a reserved word` };
    case 'unterminated_string':
    case 'unterminated_triple_quoted_string':
      return { code: 'expression-syntax', message: 'the string does not end' };
    case 'newline_in_string':
      return { code: 'expression-syntax', message: 'a string in single quotes or double quotes ends on its line', hint: 'three quotes allow several lines' };
    default:
      return { code: 'expression-syntax', message: oneLine(summary) };
  }
}

function found(source: string, offset: number): string {
  const word = /^\w+|^\S/u.exec(source.slice(offset, offset + 40))?.[0];
  return word === undefined ? 'the end' : `\`${word}\``;
}

function hintAt(source: string, offset: number): string | undefined {
  const before = source.charAt(offset - 1);
  const here = source.charAt(offset);
  if (here === '=' || before === '=') return 'equality is `==`';
  if (here === '&' || here === '|') return `the operator is \`${here}${here}\``;
  if (/^(and|or|not)\b/.test(source.slice(offset))) return 'the operators are `&&`, `||` and `!`';
  return undefined;
}

/** The library's line as ours: its first letter small, no full stop. */
function oneLine(summary: string): string {
  const line = summary.replaceAll(/\s+/g, ' ').replaceAll("'", '`').trim();
  return line.charAt(0).toLowerCase() + line.slice(1);
}

function describeTypes(complaint: Complaint, source: string, environment: Environment): Said {
  const { code, node, summary } = complaint;
  const typeOf = (ast: Ast): CelType => environment.typeOf(ast);
  if (node === undefined) return { code: 'type-mismatch', message: oneLine(summary) };
  switch (code) {
    case 'unknown_variable':
      return { code: 'unknown-name', message: `there is no ${found(source, node.start)}` };
    case 'no_such_key':
      return describeMember(node, typeOf);
    case 'no_such_overload':
      return describeOperator(node, source, typeOf);
    case 'no_matching_overload':
      return describeCall(node, typeOf);
    case 'invalid_logical_operand':
      return describeLogic(node, source, typeOf);
    case 'invalid_condition_type':
      return { code: 'type-mismatch', message: `the condition of \`? :\` must be bool, got ${typeText(typeOf(node))}` };
    case 'incompatible_ternary_branches':
      return { code: 'type-mismatch', message: 'both results of `? :` must have one type', hint: 'wrap one in `dyn(…)`' };
    case 'cannot_index_type':
    case 'invalid_index_type':
      return describeAccess(node, typeOf);
    default:
      return { code: 'type-mismatch', message: oneLine(summary) };
  }
}

function describeMember(node: Ast, typeOf: (ast: Ast) => CelType): Said {
  if (node.op !== '.' && node.op !== '.?') return { code: 'unknown-member', message: 'there is no such member' };
  const [target, name] = node.args;
  const type = typeOf(target);
  const names = type.kind === 'object' ? [...type.fields.keys()] : [];
  const path = sourceOf(target);
  const listed = names.length > 0 && names.length <= 12 ? `known: ${names.join(', ')}` : undefined;
  const hint = suggest(name, names) ?? listed ?? `\`${path}["${name}"]\` reads it untyped`;
  return { code: 'unknown-member', message: `\`${path}\` has no member \`${name}\``, hint };
}

/** The source of a node, cut short; brackets around its first operand are not part of its range. */
function sourceOf(node: Ast): string {
  const text = node.input.slice(node.start, node.end).replaceAll(/\s+/g, ' ');
  return text.length > 40 ? `${text.slice(0, 39)}…` : text;
}

function describeOperator(node: Ast, source: string, typeOf: (ast: Ast) => CelType): Said {
  if (node.op === '!_' || node.op === '-_') {
    return { code: 'type-mismatch', message: `\`${node.op.charAt(0)}\` does not take ${typeText(typeOf(node.args))}` };
  }
  if (!Array.isArray(node.args) || node.args.length !== 2) return { code: 'type-mismatch', message: 'operands do not go together' };
  const [left, right] = node.args as readonly [Ast, Ast];
  const types = [typeOf(left), typeOf(right)] as const;
  const message = `\`${node.op}\` does not take ${typeText(types[0])} and ${typeText(types[1])}`;
  return { code: 'type-mismatch', message, hint: numericHint(left, right, types, source) };
}

const NUMERIC: ReadonlySet<string> = new Set(['int', 'uint', 'double']);

/** int, uint and double mix in order only; says how to write the other operand. */
function numericHint(left: Ast, right: Ast, [a, b]: readonly [CelType, CelType], source: string): string | undefined {
  if (!NUMERIC.has(a.kind) || !NUMERIC.has(b.kind)) {
    if (a.kind === 'string' || b.kind === 'string') return 'text and numbers never mix: convert one with `string(…)`, `int(…)` or `double(…)`';
    return a.kind === 'null' || b.kind === 'null' ? 'only an untyped value can be null: use `has(…)` for what may be missing' : undefined;
  }
  const target = a.kind === 'double' || b.kind === 'double' ? 'double' : 'uint';
  const other = a.kind === target ? right : left;
  const text = source.slice(other.start, other.end);
  if (other.op === 'value' && typeof other.args === 'bigint' && /^\d+$/.test(text)) {
    return target === 'double' ? `write \`${text}.0\`` : `write \`${text}u\``;
  }
  return `write \`${target}(${sourceOf(other)})\``;
}

function describeCall(node: Ast, typeOf: (ast: Ast) => CelType): Said {
  if (node.op === 'call') {
    const [name, args] = node.args;
    const types = args.map((arg) => typeText(typeOf(arg))).join(', ');
    return { code: 'type-mismatch', message: `\`${name}\` does not take (${types})` };
  }
  if (node.op !== 'rcall') return { code: 'type-mismatch', message: 'the arguments do not fit' };
  const [name, receiver, args] = node.args;
  const types = args.map((arg) => typeText(typeOf(arg))).join(', ');
  const type = typeText(typeOf(receiver));
  return { code: 'type-mismatch', message: `\`${name}\` of ${type} does not take (${types})` };
}

function describeLogic(node: Ast, source: string, typeOf: (ast: Ast) => CelType): Said {
  if (node.op !== '&&' && node.op !== '||') return { code: 'type-mismatch', message: 'expected bool operands' };
  const wrong = node.args.find((arg) => !['bool', 'dyn'].includes(typeOf(arg).kind)) ?? node.args[0];
  const text = source.slice(wrong.start, wrong.end);
  return { code: 'type-mismatch', message: `\`${node.op}\` takes bool operands, got ${typeText(typeOf(wrong))}: \`${text.slice(0, 40)}\`` };
}

function describeAccess(node: Ast, typeOf: (ast: Ast) => CelType): Said {
  if (node.op === '.' || node.op === '.?') {
    const [target, name] = node.args;
    return { code: 'type-mismatch', message: `\`${sourceOf(target)}\` is ${typeText(typeOf(target))} and has no member \`${name}\`` };
  }
  if (node.op !== '[]' && node.op !== '[?]') return { code: 'type-mismatch', message: 'the index does not fit' };
  const [target, index] = node.args;
  return { code: 'type-mismatch', message: `${typeText(typeOf(target))} is not indexed by ${typeText(typeOf(index))}` };
}
