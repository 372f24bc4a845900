/** A program drawn: as a Mermaid flowchart, and as lines of text for a terminal. */

import { type Edge, actionsOf, edgesOf } from './graph.ts';
import type { Action, Program, Step } from './program.ts';

/** What is said of a way that ends the run. */
const FAILED = 'failed';
const LABEL_MAX = 60;

/** The flowchart, in the language of Mermaid (mermaid.js.org). Names and conditions cannot break out of their places. */
export function mermaidOf(program: Program): string {
  const lines = ['flowchart TD', `  start([${quoted(program.name)}]) --> ${nodeOf(program.start)}`];
  let hasFailed = false;
  for (const step of program.steps.values()) {
    lines.push(`  ${nodeOf(step.id)}${shapeOf(step)}`);
    for (const edge of edgesOf(step)) {
      hasFailed ||= edge.to === undefined;
      const to = edge.to === undefined ? 'ends_failed' : nodeOf(edge.to);
      const label = labelOf(edge);
      const arrow = edge.kind === 'done' || edge.kind === 'choice' ? '-->' : '-.->';
      lines.push(`  ${nodeOf(step.id)} ${arrow}${label === undefined ? '' : `|${quoted(label)}|`} ${to}`);
    }
  }
  if (hasFailed) lines.push(`  ends_failed([${quoted(FAILED)}])`);
  return `${lines.join('\n')}\n`;
}

/** Each step in a line, and under it where it leads. */
export function linesOf(program: Program): readonly string[] {
  const width = Math.max(...[...program.steps.keys()].map((id) => id.length));
  return [...program.steps.values()].flatMap((step) => {
    const mark = step.id === program.start ? '▶' : step.kind === 'end' ? '■' : '●';
    const ways = edgesOf(step).map((edge, index, all) => {
      const branch = index === all.length - 1 ? '└' : '├';
      const label = labelOf(edge);
      return `  ${branch}─ ${edge.to ?? `■ ${FAILED}`}${label === undefined ? '' : `  (${label})`}`;
    });
    return [`${mark} ${step.id.padEnd(width)}  ${sayStep(step)}`, ...ways];
  });
}

/** Ids may be words of Mermaid, such as `end`. */
function nodeOf(id: string): string {
  return `step_${id}`;
}

function shapeOf(step: Step): string {
  const text = quoted(`${step.id}: ${sayStep(step)}`);
  if (step.kind === 'choose') return `{${text}}`;
  if (step.kind === 'end') return `([${text}])`;
  if (step.kind === 'ask' || step.kind === 'wait') return `[/${text}/]`;
  return `[${text}]`;
}

function labelOf({ kind, label }: Edge): string | undefined {
  const text = label ?? (kind === 'done' ? undefined : kind);
  if (text === undefined || text.length <= LABEL_MAX) return text;
  return `${text.slice(0, LABEL_MAX)}…`;
}

function sayStep(step: Step): string {
  switch (step.kind) {
    case 'tool':
    case 'llm':
    case 'call':
      return sayAction(step);
    case 'choose':
      return 'chooses';
    case 'parallel':
      return actionsOf(step)
        .map(([name, action]) => `${name}: ${sayAction(action)}`)
        .join(', ');
    case 'ask':
      return `asks ${step.approvers}`;
    case 'wait':
      return `waits for ${step.event}`;
    case 'end':
      return `ends ${step.status}`;
  }
}

function sayAction(action: Action): string {
  if (action.kind === 'tool') return action.tool;
  return action.kind === 'llm' ? `model ${action.models[0]}` : `program ${action.program}`;
}

/** A text of Mermaid: what could end it, or be read as markup, is an entity. */
function quoted(text: string): string {
  const line = text.replaceAll(/\s+/gu, ' ');
  const safe = line.replaceAll(/["#;<>&`\\|]|\p{Cc}|\p{Cf}/gu, (character) => `#${character.codePointAt(0) ?? 0};`);
  return `"${safe}"`;
}
