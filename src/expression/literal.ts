/** Literals: what the parser read, made exact. */

import { utf8 } from '../value/encoding.ts';
import { INT_MAX } from './arithmetic.ts';
import { reject } from './issue.ts';
import type { Ast } from './parse.ts';
import type { CelValue } from './value.ts';
import { Uint } from './value.ts';

type LiteralAst = Extract<Ast, { op: 'value' }>;

/** The value of a literal; `negative` when a minus stands directly before it, which is part of the value then. */
export function literalValue(ast: LiteralAst, negative: boolean): CelValue {
  const value = ast.args;
  switch (typeof value) {
    case 'bigint':
      return integer(ast, negative ? -value : value);
    case 'number':
      return negative ? -value : value;
    case 'object':
      if (value === null) return null;
      if (value instanceof Uint8Array) return bytes(ast, value);
      return new Uint(value.value);
    default:
      return value;
  }
}

function integer(ast: LiteralAst, value: bigint): bigint {
  const fits = value >= -INT_MAX - 1n && value <= INT_MAX;
  return fits ? value : reject('expression-syntax', ast.start, 'the integer does not fit int (64 bits)');
}

/** The parser keeps one byte of each character; a character beyond ASCII stands for all bytes of its UTF-8. */
function bytes(ast: LiteralAst, read: Uint8Array): Uint8Array {
  const source = ast.input.slice(ast.start + 1, ast.end);
  if (!/[\u0080-\uffff]/.test(source)) return read;
  const quote = /^("""|'''|"|')/.exec(source)?.[1] ?? '"';
  const body = source.slice(quote.length, source.length - quote.length);
  const parts: number[] = [];
  for (const [piece] of body.matchAll(/\\[xX][0-9a-fA-F]{2}|\\[0-7]{3}|\\[\s\S]|[^\\]+/g)) {
    if (/^\\[xX]/.test(piece)) parts.push(Number.parseInt(piece.slice(2), 16));
    else if (/^\\[0-7]/.test(piece)) parts.push(Number.parseInt(piece.slice(1), 8));
    else parts.push(...utf8(piece.startsWith('\\') ? (ESCAPES.get(piece.slice(1)) ?? piece.slice(1)) : piece));
  }
  return Uint8Array.from(parts);
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['a', '\u0007'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ['v', '\v'],
]);
