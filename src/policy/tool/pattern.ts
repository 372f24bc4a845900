/** Tool patterns: which names they match, and which of two is the more specific. */

/**
 * A pattern over policy names. `*` is any run of characters, and `*` alone is every tool. Names of methods
 * (`files.resources/read`) are matched only by a pattern that itself contains a `/`.
 */
export interface Pattern {
  readonly text: string;
  /** The literal runs around the stars: one more than there are stars. */
  readonly runs: readonly string[];
}

const PATTERN_MAX = 256;

/** A pattern, or in one line why `text` is none. */
export function parsePattern(text: string): { readonly ok: true; readonly pattern: Pattern } | PatternProblem {
  if (text.length > PATTERN_MAX) return problem(`expected at most ${PATTERN_MAX} characters, got ${text.length}`);
  if (/[\s\p{Cc}]/u.test(text)) return problem('expected a pattern without white space');
  const runs = text.split('*');
  if (runs.length === 1 && !/^[^.]+\../u.test(text)) return problem('expected `server.tool`, or a pattern with `*`');
  return { ok: true, pattern: Object.freeze({ text, runs: Object.freeze(runs) }) };
}

interface PatternProblem {
  readonly ok: false;
  readonly message: string;
}

function problem(message: string): PatternProblem {
  return { ok: false, message };
}

/** Whether `pattern` matches the policy name `name`. Linear in the name for each literal run. */
export function matches(pattern: Pattern, name: string): boolean {
  const { text, runs } = pattern;
  if (name.includes('/') && !text.includes('/')) return false;
  const first = runs[0] ?? '';
  if (runs.length === 1) return name === first;
  const last = runs.at(-1) ?? '';
  if (name.length < first.length + last.length || !name.startsWith(first) || !name.endsWith(last)) return false;
  let at = first.length;
  const end = name.length - last.length;
  for (const run of runs.slice(1, -1)) {
    const found = name.indexOf(run, at);
    if (found === -1 || found + run.length > end) return false;
    at = found + run.length;
  }
  return true;
}

/**
 * Positive when `a` is more specific than `b`, negative when less, 0 when neither is. A name without `*` is more
 * specific than any pattern; then the one with more literal characters; then the one with fewer stars.
 */
export function compareSpecificity(a: Pattern, b: Pattern): number {
  const exact = Number(a.runs.length === 1) - Number(b.runs.length === 1);
  if (exact !== 0) return exact;
  const literal = literalLength(a) - literalLength(b);
  return literal === 0 ? b.runs.length - a.runs.length : literal;
}

function literalLength(pattern: Pattern): number {
  return pattern.text.length - (pattern.runs.length - 1);
}

/** The server that every match belongs to; nothing when the pattern leaves it open. */
export function serverOf(pattern: Pattern): string | undefined {
  const first = pattern.runs[0] ?? '';
  const dot = first.indexOf('.');
  return dot === -1 ? undefined : first.slice(0, dot);
}

/** Whether the pattern could match some tool of `server`, whatever tools it serves. */
export function couldMatchServer(pattern: Pattern, server: string): boolean {
  const named = serverOf(pattern);
  if (named !== undefined) return named === server;
  // The first star may swallow the dot, so only what stands before it binds the server's name.
  return server.startsWith(pattern.runs[0] ?? '');
}
