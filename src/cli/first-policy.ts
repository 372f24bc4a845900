/** The first policy that `interlock init` writes: what the servers offer, named tool by tool, and nothing of it allowed. */

import type { ServerPackage } from '../policy/tool/package.ts';
import { parsePattern } from '../policy/tool/pattern.ts';
import type { ToolDefinition } from '../policy/tool/tool.ts';
import { keyText, quoted } from '../policy/document/yaml-text.ts';
import { inert } from './terminal.ts';

/** A server as the command line names it. */
export interface NamedServer {
  readonly id: string;
  /** A program with its arguments. */
  readonly command?: string;
  readonly package?: ServerPackage;
  readonly args: readonly string[];
}

const SAID_MAX = 72;
const HEAD = `# yaml-language-server: $schema=./node_modules/agent-interlock/schema/interlock.schema.json
# Written by \`interlock init\`. As it stands an agent may do nothing: say what each tool does, and what you allow.
interlock: 1
`;

/** The servers alone, to be started. */
export function printServers(servers: readonly NamedServer[]): string {
  const lines = servers.flatMap(({ id, command, package: held, args }) => [
    `  ${id}:`,
    held === undefined
      ? `    command: ${quoted(command ?? '')}`
      : `    package: ${quoted(`${held.name}@${held.version}`)}`,
    ...(args.length === 0 ? [] : [`    args: [${args.map(quoted).join(', ')}]`]),
  ]);
  return `${HEAD}\nservers:\n${lines.join('\n')}\n`;
}

/**
 * The whole file. What a server says of its tools stands in comments and decides nothing: every tool is declared
 * irreversible, and the only rule allows what somebody has since declared to read.
 */
export function printFirstPolicy(servers: readonly NamedServer[], tools: readonly ToolDefinition[]): string {
  const named = tools.filter(({ name }) => isNameable(name));
  const left = tools.length - named.length;
  const lines = named.flatMap((tool) => [
    `  # ${summaryOf(tool)}`,
    `  ${keyText(tool.name)}: { effect: irreversible }${hintOf(tool)}`,
  ]);
  const declared = lines.length === 0 ? 'tools: {}' : `tools:\n${lines.join('\n')}`;
  const note = left === 0 ? '' : `# ${left} more have names that no rule can name alone; see interlock.lock.\n`;
  const example = named[0]?.name ?? 'server.tool';
  return `${printServers(servers)}
# What a tool does is yours to say: read, write or irreversible. What its server says of it is only a hint.
${note}${declared}

rules:
  # Allows the tools that you declare \`effect: read\` above; now there are none.
  - id: reads
    allow: "*"
    when: tool.effect == "read"
  # Allow others one by one, or ask a person first; see docs/policy.md.
  # - allow: ${inert(example)}
  # - ask: ${inert(example)}
`;
}

/** Whether exactly this tool can be named: a star would name others too. */
function isNameable(name: string): boolean {
  const parsed = parsePattern(name);
  return parsed.ok && parsed.pattern.runs.length === 1;
}

function summaryOf({ title, description, upstreamName }: ToolDefinition): string {
  const text = inert((description ?? title ?? upstreamName).replaceAll(/\s+/gu, ' ').trim());
  const characters = [...text];
  return characters.length <= SAID_MAX ? text : `${characters.slice(0, SAID_MAX - 1).join('')}…`;
}

function hintOf({ annotations }: ToolDefinition): string {
  return annotations?.['readOnlyHint'] === true ? ' # its server says that it only reads: if so, write read' : '';
}
