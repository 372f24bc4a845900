/** Whether what a configuration names with its patterns is there. */

import { alike } from '../document/alike.ts';
import type { Effect } from './decide/decision.ts';
import type { LocatedPattern } from './document/rule.ts';
import { OWN_TOOLS } from './tool/own.ts';
import { couldMatchServer } from './tool/pattern.ts';
import { missOf } from './tool/served.ts';
import type { Work } from './work.ts';

const HINTS_MAX = 20;

/** Whether every pattern names a server that there is; notes the patterns that match nothing. */
export function checkMatches(work: Work): boolean {
  const { configuration } = work;
  let sound = true;
  for (const { id, effect, pattern } of configuration.rules) {
    sound = checkMatch(work, pattern, `\`${effect}\` of ${id}`, effect) && sound;
  }
  for (const { pattern } of configuration.tools) sound = checkMatch(work, pattern, '`tools`', undefined) && sound;
  for (const [index, { tools }] of configuration.limits.entries()) {
    sound = checkMatch(work, tools, `\`tools\` of limits/${index}`, undefined) && sound;
  }
  return sound;
}

function checkMatch(work: Work, pattern: LocatedPattern, what: string, effect: Effect | undefined): boolean {
  const { served, issues, configuration, doubtful } = work;
  if (pattern.runs.every((run) => run === '') || work.matched.has(pattern.text)) return true;
  const miss = missOf(pattern, served);
  const { line, column } = pattern.place;
  const near = miss.kind === 'not-yet' ? undefined : nearName(work, pattern);
  const hint = near === undefined ? {} : { hint: `did you mean \`${near}\`?` };
  const severity = miss.kind === 'not-yet' ? 'warning' : 'error';
  const message = `${what}: ${miss.message}`;
  issues.push({ code: 'pattern-matches-nothing', severity, message, file: configuration.file, line, column, ...hint });
  if (miss.kind === 'no-tool' && effect !== 'allow') {
    const reason = `${what} (line ${line}) matches no tool`;
    for (const server of served.complete) if (couldMatchServer(pattern, server)) doubtful.set(server, reason);
  }
  return miss.kind !== 'unknown-server';
}

/** The tool that was probably meant. Only for the first few: comparing names costs more than all the rest. */
function nearName({ served, issues }: Work, pattern: LocatedPattern): string | undefined {
  if (pattern.runs.length > 1 || issues.length >= HINTS_MAX) return undefined;
  return alike(pattern.text, [...served.tools.keys(), ...OWN_TOOLS.map(({ name }) => name)]);
}
