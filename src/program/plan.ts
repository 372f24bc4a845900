/** Asks a model for the draft of a program: what it is told, and what of its answer is the draft. Pure. */

import { type Issue, renderIssue } from '../value/issue.ts';
import type { JsonObject } from '../value/json.ts';

/** A tool as it is told to the model. */
export interface OfferedTool {
  readonly name: string;
  readonly description?: string;
  readonly effect: 'read' | 'write' | 'irreversible';
  readonly inputSchema: JsonObject;
  readonly outputSchema?: JsonObject;
}

/** What a draft may use. */
export interface Offer {
  readonly tools: readonly OfferedTool[];
  /** Names of models. */
  readonly models: readonly string[];
}

/** UTF-16 units of all tools together; those that have no room any more are told by their names. */
const TOOLS_LENGTH_MAX = 200_000;
const DESCRIPTION_MAX = 300;
/** What is told of a draft that is wrong. */
const ISSUES_MAX = 20;
const DRAFT_LENGTH_MAX = 100_000;

const LANGUAGE = `You write programs for Interlock: finite-state workflows as YAML. Answer with one YAML document in a fenced
block and nothing else. What it does is checked before a person decides whether it may run.

A program:

program: NAME            # a-z, 0-9, - and _
input: SCHEMA            # a JSON Schema of type object: what a run is given
events: { NAME: SCHEMA } # only for steps that wait
limits: { steps: 50, time: 10m }
start: STEP
steps:
  STEP: ...              # ids are a letter, then letters, digits and _

properties: [ "pay only after check", "never read then mail.send", "at most 1 pay" ]   # optional; proved

The kinds of steps; \`next\` and the like name steps:

{ tool: NAME, args: {...}, retry: { attempts: N }, timeout: 30s, undo: { tool: NAME, args: {...} }, next: STEP, on_error: STEP }
{ llm: MODEL, prompt: TEXT, outputs: [WORD, ...], mismatch: { retry: 2, then: fail }, next: STEP, on_error: STEP }
{ llm: MODEL, prompt: TEXT, schema: SCHEMA, next: STEP, on_error: STEP }
{ choose: [ { when: CEL, next: STEP }, { next: STEP } ] }   # the first that is true; the last without \`when\`
{ parallel: { NAME: ACTION, ... }, next: STEP, on_error: STEP }   # ACTION: a tool or llm step without next
{ ask: ROLE, show: TEXT, timeout: 24h, yes: STEP, no: STEP, expired: STEP }
{ wait: EVENT, timeout: 72h, next: STEP, expired: STEP }
{ end: success, output: {...} }   or   { end: OTHER_NAME, because: TEXT }

Values: \${{ CEL }} over \`input\` and \`steps.STEP.output\`, in args, prompts, texts and outputs. A value that stands alone keeps its
type. An output that is not there on every way is read only after \`has(steps.STEP)\`. The output of an \`llm\` step is one
of its words, or the value of its schema; that of a tool is what the tool answers.

Every step can be reached, and from every one an end. Each step with an effect has an \`on_error\`. Ask a person before
what cannot be undone. Write no e-mail address, phone number, account number or secret into a program: take it from \`input\`.`;

/** What the model is asked: the language, what there is, and what is wanted. */
export function planPrompt(intent: string, { tools, models }: Offer): string {
  const listed: string[] = [];
  let room = TOOLS_LENGTH_MAX;
  for (const tool of tools) {
    const text = toolText(tool);
    listed.push(text.length <= room ? text : `- ${tool.name}`);
    room -= text.length;
  }
  const named = models.length === 0 ? 'There are no models.' : `The models: ${models.join(', ')}.`;
  const offered = listed.length === 0 ? 'There are no tools.' : `The tools:\n\n${listed.join('\n')}`;
  return `${LANGUAGE}\n\n${offered}\n\n${named}\n\nWrite the program that does this:\n\n${intent}\n`;
}

function toolText({ name, description = '', effect, inputSchema, outputSchema }: OfferedTool): string {
  const said = description.replaceAll(/\s+/gu, ' ').trim().slice(0, DESCRIPTION_MAX).toWellFormed();
  const about = said === '' ? '' : `: ${said}`;
  const output = outputSchema === undefined ? '' : `\n  output: ${JSON.stringify(outputSchema)}`;
  return `- ${name} (${effect})${about}\n  args: ${JSON.stringify(inputSchema)}${output}`;
}

/** The same question once more, with the draft that came and what is wrong with it. */
export function planAgain(prompt: string, draft: string, issues: readonly Issue[]): string {
  const errors = issues.filter(({ severity }) => severity === 'error');
  const told = errors.slice(0, ISSUES_MAX).map((issue) => renderIssue(issue, draft));
  const shown = draft.slice(0, DRAFT_LENGTH_MAX).toWellFormed();
  return `${prompt}\nYou wrote:\n\n\`\`\`yaml\n${shown}\n\`\`\`\n\nThis is wrong with it:\n\n${told.join('\n')}\n\nWrite the whole program anew.\n`;
}

const FENCE = /^(?:`{3,}|~{3,})/u;

/** The draft in an answer: what stands in its first fenced block, else all of it. Linear in the answer. */
export function draftIn(answer: string): string {
  const lines = answer.split('\n');
  const from = lines.findIndex((line) => FENCE.test(line));
  const [fence = ''] = FENCE.exec(lines[from] ?? '') ?? [];
  const to = from === -1 ? -1 : lines.findIndex((line, at) => at > from && line.trimEnd() === fence);
  const draft = to === -1 ? lines : lines.slice(from + 1, to);
  return `${draft.join('\n').trim()}\n`;
}

/** A reference says something in the run that it was given in, and nothing in a file. */
const REFERENCE = /vault:\/\/s_[\w-]+/u;

/** Why `draft` cannot be kept whatever it does; nothing when it can. */
export function draftFault(draft: string, file: string): Issue | undefined {
  const at = draft.search(REFERENCE);
  if (at === -1) return undefined;
  const before = draft.slice(0, at).split('\n');
  const place = { line: before.length, column: (before.at(-1) ?? '').length + 1 };
  const message = 'a reference `vault://…` stands for a personal value of the question, and for nothing in a program';
  return { code: 'reference-in-program', severity: 'error', message, hint: 'take it from `input`', file, ...place };
}
