/** What the library complains of, in our words. */

import type { Environment } from './environment.ts';
import { declarationText } from './environment.ts';
import type { ExpressionIssue, ExpressionIssueCode } from './issue.ts';
import type { Ast, Complaint } from './parse.ts';
import { checkedTypeOf } from './parse.ts';
import { suggest } from './suggest.ts';

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
      const expected =
        TOKENS.get(wanted ?? '') ?? (code === 'unexpected_token' ? 'an operand' : 'an operator or the end');
      return {
        code: 'expression-syntax',
        message: `expected ${expected}, got ${found(source, offset)}`,
        hint: hintAt(source, offset),
      };
    }
    case 'reserved_identifier':
      return { code: 'expression-syntax', message: `${found(source, offset)} is a reserved word` };
    case 'unterminated_string':
    case 'unterminated_triple_quoted_string':
      return { code: 'expression-syntax', message: 'the string does not end' };
    case 'newline_in_string':
      return {
        code: 'expression-syntax',
        message: 'a string in single quotes or double quotes ends on its line',
        hint: 'three quotes allow several lines',
      };
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
  if (node === undefined) return mismatched(oneLine(summary));
  switch (code) {
    case 'unknown_variable':
      return { code: 'unknown-name', message: `there is no ${found(source, node.start)}` };
    case 'no_such_key':
      return describeMember(node, environment);
    case 'no_such_overload':
      return describeOperator(node);
    case 'no_matching_overload':
      return describeCall(node);
    case 'invalid_logical_operand':
      return describeLogic(node);
    case 'invalid_condition_type':
      return mismatched(`the condition of \`? :\` must be bool, got ${textOf(node)}`);
    case 'incompatible_ternary_branches':
      return mismatched('both results of `? :` must have one type', 'wrap one in `dyn(…)`');
    case 'cannot_index_type':
    case 'invalid_index_type':
      return describeAccess(node);
    default:
      return mismatched(oneLine(summary));
  }
}

function mismatched(message: string, hint?: string): Said {
  return { code: 'type-mismatch', message, hint };
}

/** The type of a node as people write it. */
function textOf(node: Ast): string {
  return declarationText(checkedTypeOf(node));
}

/** The source of a node, cut short; brackets around its first operand are not part of its range. */
function sourceOf(node: Ast): string {
  const text = node.input.slice(node.start, node.end).replaceAll(/\s+/g, ' ');
  return text.length > 40 ? `${text.slice(0, 39)}…` : text;
}

function describeMember(node: Ast, environment: Environment): Said {
  if (node.op !== '.' && node.op !== '.?') return { code: 'unknown-member', message: 'there is no such member' };
  const [target, name] = node.args;
  const type = environment.typeOf(target);
  const names = type.kind === 'object' ? [...type.fields.keys()] : [];
  const path = sourceOf(target);
  const listed = names.length > 0 && names.length <= 12 ? `known: ${names.join(', ')}` : undefined;
  const hint = suggest(name, names) ?? listed ?? `\`${path}["${name}"]\` reads it untyped`;
  return { code: 'unknown-member', message: `\`${path}\` has no member \`${name}\``, hint };
}

function describeOperator(node: Ast): Said {
  if (node.op === '!_' || node.op === '-_') {
    return mismatched(`\`${node.op.charAt(0)}\` does not take ${textOf(node.args)}`);
  }
  if (!Array.isArray(node.args) || node.args.length !== 2) return mismatched('the operands do not go together');
  const [left, right] = node.args as readonly [Ast, Ast];
  const message = `\`${node.op}\` does not take ${textOf(left)} and ${textOf(right)}`;
  return mismatched(message, operandHint(left, right));
}

const NUMERIC: ReadonlySet<string> = new Set(['int', 'uint', 'double']);

function operandHint(left: Ast, right: Ast): string | undefined {
  const types = [textOf(left), textOf(right)];
  if (types.every((type) => NUMERIC.has(type))) return numericHint(left, right);
  if (types.includes('string') && types.some((type) => NUMERIC.has(type))) {
    return 'text and numbers never mix: convert one with `string(…)`, `int(…)` or `double(…)`';
  }
  return types.includes('null') ? 'only an untyped value can be null: use `has(…)` for what may be missing' : undefined;
}

/** int, uint and double mix in order only; says how to write one operand so that it goes with the other. */
function numericHint(left: Ast, right: Ast): string {
  const target = [textOf(left), textOf(right)].includes('double') ? 'double' : 'uint';
  const [same, other] = textOf(left) === target ? [left, right] : [right, left];
  const literal = sourceOf(same);
  if (other.op !== 'value' && same.op === 'value' && /^\d+(?:\.0+|u)$/i.test(literal)) {
    return `write \`${literal.replace(/\.0+$|u$/i, '')}\``;
  }
  const text = sourceOf(other);
  if (other.op !== 'value' || !/^\d+$/.test(text)) return `write \`${target}(${text})\``;
  return target === 'double' ? `write \`${text}.0\`` : `write \`${text}u\``;
}

function describeCall(node: Ast): Said {
  if (node.op === 'call') {
    const [name, args] = node.args;
    return mismatched(`\`${name}\` does not take (${args.map((arg) => textOf(arg)).join(', ')})`);
  }
  if (node.op !== 'rcall') return mismatched('the arguments do not fit');
  const [name, receiver, args] = node.args;
  return mismatched(`\`${name}\` of ${textOf(receiver)} does not take (${args.map((arg) => textOf(arg)).join(', ')})`);
}

function describeLogic(node: Ast): Said {
  if (node.op !== '&&' && node.op !== '||') return mismatched('expected bool operands');
  const wrong = node.args.find((arg) => !['bool', 'dyn'].includes(textOf(arg))) ?? node.args[0];
  return mismatched(`\`${node.op}\` takes bool operands, got ${textOf(wrong)}: \`${sourceOf(wrong)}\``);
}

function describeAccess(node: Ast): Said {
  if (node.op === '.' || node.op === '.?') {
    const [target, name] = node.args;
    return mismatched(`\`${sourceOf(target)}\` is ${textOf(target)} and has no member \`${name}\``);
  }
  if (node.op !== '[]' && node.op !== '[?]') return mismatched('the index does not fit');
  const [target, index] = node.args;
  return mismatched(`${textOf(target)} is not indexed by ${textOf(index)}`);
}
