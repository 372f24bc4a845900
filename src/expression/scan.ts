/** The surface of an expression: what stands outside strings, comments and brackets. Reads no grammar. */

/** A stretch of source, `end` exclusive, in UTF-16 units. */
export interface Stretch {
  readonly start: number;
  readonly end: number;
}

/**
 * The operands of the top-level `&&` chain, in order; one stretch for the whole when there is none, or when `||` or
 * `? :` rules it. Meaningful for a source that parses.
 */
export function splitClauses(source: string): readonly Stretch[] {
  const clauses: Stretch[] = [];
  let start = -1;
  let end = 0;
  let ruled = false;
  scan(source, (token, depth, at, after) => {
    if (depth === 0 && token === '&' && source.charAt(at - 1) !== '&') {
      clauses.push({ start, end });
      start = -1;
    } else if (depth > 0 || token !== '&') {
      // `a.?b` is an optional member; every other question mark outside brackets is the conditional's.
      if (depth === 0 && (token === '|' || (token === '?' && source.charAt(end - 1) !== '.'))) ruled = true;
      if (start === -1) start = at;
      end = after;
    }
  });
  clauses.push({ start, end });
  return ruled || clauses.length === 1 ? [{ start: clauses[0]?.start ?? 0, end }] : clauses;
}

/** Where more than `max` prefix operators or open brackets follow one another directly; nothing when nowhere. */
export function findDeepPrefix(source: string, max: number): number | undefined {
  let run = 0;
  let found: number | undefined;
  scan(source, (token, _depth, at) => {
    run = token === '!' || token === '-' ? run + 1 : 0;
    if (run > max) found ??= at;
  });
  return found;
}

type Visit = (token: string, depth: number, at: number, after: number) => void;

/** Visits each character of code and each string literal as one token (`"`), with the number of brackets open. */
function scan(source: string, visit: Visit): void {
  let depth = 0;
  for (let at = 0; at < source.length;) {
    const token = source.charAt(at);
    const after = endOfToken(source, at);
    if (token === ')' || token === ']' || token === '}') depth -= 1;
    if (token.trim() !== '' && !source.startsWith('//', at)) visit(token, depth, at, after);
    if (token === '(' || token === '[' || token === '{') depth += 1;
    at = after;
  }
}

function endOfToken(source: string, at: number): number {
  const token = source.charAt(at);
  if (source.startsWith('//', at)) {
    const newline = source.indexOf('\n', at);
    return newline === -1 ? source.length : newline;
  }
  if (token !== '"' && token !== "'") return at + 1;
  const triple = token.repeat(3);
  const quote = source.startsWith(triple, at) ? triple : token;
  for (let end = at + quote.length; end < source.length; end += 1) {
    // A backslash hides the next character in raw strings too: the parser reads them so.
    if (source.charAt(end) === '\\') end += 1;
    else if (source.startsWith(quote, end)) return end + quote.length;
  }
  return source.length;
}
