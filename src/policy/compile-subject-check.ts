/** `subjectCheck:` of a tool, held against the tools that are served and what is declared of them. */

import type { Declared } from './document/declaration.ts';
import { mergeDeclarations } from './document/merge.ts';
import { CHECK_REQUIRED } from './tool/subject-check.ts';
import type { ToolDefinition } from './tool/tool.ts';
import type { Work } from './work.ts';

const HINT = 'name a tool that reads, or write `required` to refuse subjects that nothing checks';

/** The tool that is asked, or `required`; what makes it useless is noted, and grows the tool's reasons to be invalid. */
export function compileSubjectCheck(
  work: Work,
  tool: ToolDefinition,
  { subjectCheck, subject }: Declared,
  reasons: string[],
): string | undefined {
  const name = subjectCheck?.text;
  if (subjectCheck === undefined || name === undefined || name === CHECK_REQUIRED) return name;
  const message = subject === undefined ? 'checks a subject, and there is no `subject`' : faultOf(work, name);
  if (message === undefined) return name;
  const problem = { code: 'subject-check-unusable', severity: 'error', message, hint: HINT, offset: 0 } as const;
  work.faults.add('`subjectCheck`', subjectCheck, problem, tool.name);
  reasons.push(`its \`subjectCheck\` ${message}`);
  return name;
}

/** A tool whose list has not arrived yet may be any. */
function faultOf({ served, declarations, configuration }: Work, name: string): string | undefined {
  const server = name.split('.')[0] ?? '';
  const isAwaited = name.includes('.') && served.servers.has(server) && !served.complete.has(server);
  if (!served.tools.has(name) && !isAwaited) return `asks \`${name}\`, which nobody serves`;
  const { declared } = mergeDeclarations(name, declarations.find(name), configuration.file);
  if (declared.effect !== 'read') return `asks \`${name}\`, which is not declared \`effect: read\``;
  const own = declared.subjectCheck?.text ?? CHECK_REQUIRED;
  return own === CHECK_REQUIRED ? undefined : `asks \`${name}\`, whose own subject is checked`;
}
