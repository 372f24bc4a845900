/** From the text of a program to the program, or everything that is wrong with it. */

import { issueList } from '../document/issue-list.ts';
import { canonicalText } from '../value/canonical.ts';
import { type JsonObject, isJsonObject, parseJson } from '../value/json.ts';
import type { Parsed } from '../value/issue.ts';
import type { Catalog } from './catalog.ts';
import { checkProgram } from './check.ts';
import { linkProgram } from './link.ts';
import type { Program } from './program.ts';
import { readProgram } from './read.ts';

/** The program whose `content` has this text, and was checked before, over the tools of `catalog` as they are now. */
export function linkContent(text: string, file: string, catalog: Catalog): Parsed<Program> {
  const parsed = parseJson(text);
  const document = parsed.ok && isJsonObject(parsed.value) ? parsed.value['document'] : undefined;
  const read = readProgram(isJsonObject(document) ? canonicalText(document) : text, file);
  return read.ok ? linkProgram(read.value, file, catalog) : read;
}

/** What the program was read from, as JSON. */
export function documentOf({ content }: Program): JsonObject {
  const { document } = content;
  return isJsonObject(document) ? document : content;
}

/**
 * The program that `text`, YAML or JSON, says over the tools of `catalog`. `file` is the name that problems are told
 * with. Pure; linear in the steps but for what expressions read.
 */
export function compileProgram(text: string, file: string, catalog: Catalog): Parsed<Program> {
  const read = readProgram(text, file);
  if (!read.ok) return read;
  const linked = linkProgram(read.value, file, catalog);
  if (!linked.ok) return { ok: false, issues: issueList([...read.issues, ...linked.issues]) };
  const found = checkProgram(linked.value, read.value, file, catalog);
  const issues = issueList([...read.issues, ...linked.issues, ...found]);
  if (issues.some(({ severity }) => severity === 'error')) return { ok: false, issues };
  return { ok: true, value: linked.value, issues };
}
