/** What a server offers and what it needs to run: its list of tools as definitions, and the plan of its process. */

import { isAbsolute, resolve } from 'node:path';
import type { ProcessPlan } from '../guard/process/spawn.ts';
import { isMethodName } from '../policy/tool/method.ts';
import type { ServerConfiguration } from '../policy/document/server.ts';
import { type ToolDefinition, defineTool } from '../policy/tool/tool.ts';
import { readList } from './handshake.ts';
import type { Peer } from './peer.ts';

const INHERITED = ['PATH', 'HOME', 'LANG', 'TMPDIR'] as const;

/**
 * How `server` is started. A command with a slash is relative to `directory`, the configuration's, wherever the child
 * starts; one without is looked up on the PATH. Of `environment` only PATH, HOME, LANG and TMPDIR are passed on.
 */
export function planOf(
  server: ServerConfiguration,
  directory: string,
  environment: Readonly<Record<string, string | undefined>>,
): ProcessPlan {
  const env: Record<string, string> = {};
  for (const name of INHERITED) {
    const value = environment[name];
    if (value !== undefined) env[name] = value;
  }
  for (const [name, { value }] of server.env) env[name] = value;
  const { command, args, cwd = '.' } = server;
  const program = /[/\\]/.test(command) && !isAbsolute(command) ? resolve(directory, command) : command;
  return { command: program, args, env, cwd: resolve(directory, cwd) };
}

/**
 * The tools of `server`, or nothing when the list cannot be had. Left out, and told to `say`: what is no definition of
 * a tool, a second tool of a name, and a tool whose policy name would be that of a method.
 */
export async function readTools(
  peer: Peer,
  server: ServerConfiguration,
  say: (text: string) => void,
): Promise<readonly ToolDefinition[] | undefined> {
  const listed = await readList(peer, 'tools/list', 'tools', server.timeoutMs);
  if (typeof listed === 'string') {
    say(listed);
    return undefined;
  }
  const tools = new Map<string, ToolDefinition>();
  for (const raw of listed) {
    const defined = defineTool(server.id, raw);
    if (!defined.ok) say(`offers what cannot be used: ${defined.message}`);
    else if (isMethod(defined.tool.upstreamName)) say(`offers a tool under the name of a method: ${defined.tool.name}`);
    else if (tools.has(defined.tool.name)) say(`offers two tools under one name: ${defined.tool.name}`);
    else tools.set(defined.tool.name, defined.tool);
  }
  return [...tools.values()];
}

function isMethod(name: string): boolean {
  return isMethodName(name) || name.startsWith('tasks/');
}
