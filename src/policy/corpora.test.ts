import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { typeOfSchema } from '../expression/schema.ts';
import { isJsonObject, parseJson } from '../value/json.ts';
import type { JsonObject, JsonValue } from '../value/json.ts';
import { compilePolicy } from './compile.ts';
import { parseConfiguration } from './document/configuration.ts';
import { decide } from './decide/decide.ts';
import { checkArguments, schemaFault } from '../schema/schema.ts';
import { defineTool } from './tool/tool.ts';
import type { ToolDefinition } from './tool/tool.ts';

const FOLDER = join(process.env['INTERLOCK_CORPORA'] ?? join(import.meta.dirname, '../../../shared/corpora'), 'mcp');
const ABSENT = existsSync(FOLDER) ? false : `no corpora at ${FOLDER}; INTERLOCK_CORPORA names another place`;

function textOf(value: JsonValue | undefined): string {
  assert.equal(typeof value, 'string');
  return typeof value === 'string' ? value : '';
}

function linesOf(file: string): readonly JsonObject[] {
  const lines = readFileSync(join(FOLDER, file), 'utf8').trim().split('\n');
  return lines.map((line) => {
    const parsed = parseJson(line);
    assert.ok(parsed.ok && isJsonObject(parsed.value), line.slice(0, 80));
    return parsed.value;
  });
}

/** Ids of the corpus' servers are titles; here they become `s0`, `s1`, …. */
function definitions(): ReadonlyMap<string, ToolDefinition> {
  const servers = new Map<string, string>();
  const tools = new Map<string, ToolDefinition>();
  for (const { server, tool, description, inputSchema } of linesOf('tool-definitions.jsonl')) {
    const title = textOf(server);
    const id = servers.get(title) ?? `s${servers.size}`;
    servers.set(title, id);
    const defined = defineTool(id, {
      name: tool ?? '',
      description: description ?? '',
      inputSchema: inputSchema ?? null,
    });
    assert.ok(defined.ok, `${title} ${textOf(tool)}`);
    tools.set(defined.tool.name, defined.tool);
  }
  return tools;
}

test('every recorded definition of a tool loads, types and can be judged with', { skip: ABSENT }, () => {
  const tools = definitions();
  assert.equal(tools.size, 527);
  for (const tool of tools.values()) {
    assert.equal(schemaFault(tool.inputSchema), undefined, tool.name);
    assert.ok(['object', 'map', 'dyn'].includes(typeOfSchema(tool.inputSchema).kind), tool.name);
  }
});

test('recorded calls are judged by their tool as labelled', { skip: ABSENT }, () => {
  const byName = new Map<string, ToolDefinition[]>();
  for (const tool of definitions().values())
    byName.set(tool.upstreamName, [...(byName.get(tool.upstreamName) ?? []), tool]);
  const counts = { 'must-allow': 0, 'must-reject-by-schema': 0 };
  for (const { id, tool, args, label } of linesOf('recorded-calls.jsonl')) {
    const candidates = byName.get(textOf(tool)) ?? [];
    assert.notEqual(candidates.length, 0, `${textOf(tool)} is among the definitions`);
    // Several servers have a `search`; the call fits the one it was made for, and a wrong one fits none.
    const fits = candidates.some((candidate) => checkArguments(candidate, args ?? {}).length === 0);
    assert.equal(fits, label === 'must-allow', textOf(id));
    counts[label === 'must-allow' ? 'must-allow' : 'must-reject-by-schema'] += 1;
  }
  assert.deepEqual(counts, { 'must-allow': 64, 'must-reject-by-schema': 4 });
});

test('one policy over all recorded tools compiles, and decides their recorded calls', { skip: ABSENT }, () => {
  const tools = definitions();
  const servers = Object.fromEntries([...tools.values()].map(({ server }) => [server, { command: 'x' }]));
  const rules = [{ allow: '*', when: 'args.size() < 50 && tool.server.startsWith("s") && principal.id == "local"' }];
  const parsed = parseConfiguration(JSON.stringify({ interlock: 1, servers, rules }), { file: 'f', environment: {} });
  assert.ok(parsed.ok);
  const { policy, issues } = compilePolicy(parsed.value, tools, { complete: new Set(Object.keys(servers)) });
  assert.deepEqual(
    issues.filter((issue) => issue.severity === 'error'),
    [],
  );
  assert.ok(policy !== undefined);
  let allowed = 0;
  for (const { tool, args } of linesOf('recorded-calls.jsonl')) {
    for (const definition of tools.values()) {
      if (definition.upstreamName !== tool || !isJsonObject(args)) continue;
      const call = { id: 'c', attempt: 1, key: '' };
      const request = { principal: 'local', tool: definition.name, args, call, run: { id: 'r', depth: 0 }, now: 0 };
      const { code } = decide(policy, request);
      assert.ok(code === 'allowed' || code === 'schema-mismatch', code);
      if (code === 'allowed') allowed += 1;
    }
  }
  assert.ok(allowed >= 64);
});
