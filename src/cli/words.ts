/** A command as people write one, as its words: quotes and backslashes as in a POSIX shell, and nothing else of one. */

const WORD = /\s*(?:"(?<double>(?:[^"\\]|\\.)*)"|'(?<single>[^']*)'|(?<bare>(?:[^\s"'\\]|\\.)+)|(?<wrong>\S))/gsuy;

/** The words of `text`, or nothing when a quote is not closed. Variables, globs and operators are ordinary characters. */
export function wordsOf(text: string): readonly string[] | undefined {
  const words: string[] = [];
  let end = -1;
  for (const match of text.matchAll(WORD)) {
    const { double, single, bare, wrong } = match.groups ?? {};
    if (wrong !== undefined) return undefined;
    const piece = single ?? (double === undefined ? (bare ?? '').replaceAll(/\\(.)/gsu, '$1') : unescaped(double));
    const isGlued = match.index === end && !/^\s/u.test(match[0]);
    if (isGlued) words.push(`${words.pop() ?? ''}${piece}`);
    else words.push(piece);
    end = match.index + match[0].length;
  }
  return words;
}

/** Within double quotes a backslash stands for itself but before these. */
function unescaped(text: string): string {
  return text.replaceAll(/\\(["\\$`])/gu, '$1');
}
