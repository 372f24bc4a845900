/** Interlock's tools for programs: those that are configured, and those that callers save for themselves. */

import { secretsIn } from '../authority/secret.ts';
import type { Program } from '../program/program.ts';
import * as tools from '../policy/tool/own-programs.ts';
import { linkSource } from '../runtime/catalog.ts';
import { SAVED_MAX, deleteProgram, saveProgram, savedPrograms } from '../runtime/saved.ts';
import type { Parsed } from '../value/issue.ts';
import type { JsonObject } from '../value/json.ts';
import { type OwnTool, toldAs } from './own.ts';
import {
  type ProgramPlace,
  noSuchProgram,
  placedTool,
  refused,
  seenBy,
  sourceOf,
  toldIssues,
} from './program-place.ts';
import { programTool, runTools, textIn } from './run-tools.ts';
import type { Policy } from '../policy/compile.ts';
import { OWN_SERVER } from '../policy/tool/own-definition.ts';
import { serverOf } from '../policy/tool/pattern.ts';

/** The name that problems of a sent text are told with. */
const SENT = 'program';

/** All of Interlock's tools about programs, those that are programs themselves after the others. */
export function programTools(place: ProgramPlace): readonly OwnTool[] {
  const programs = [...place.programs().values()];
  if (programs.length === 0 && !isNamed(place.policy())) return [];
  const configured = programs.filter(({ isTool }) => isTool);
  return [
    ...runTools(place),
    placedTool(place, tools.SAVE_PROGRAM.definition, ({ text }) => save(place, textIn(text))),
    placedTool(place, tools.LIST_PROGRAMS.definition, () => list(place)),
    placedTool(place, tools.GET_PROGRAM.definition, ({ program }) => get(place, textIn(program))),
    placedTool(place, tools.DELETE_PROGRAM.definition, ({ program }) => remove(place, textIn(program))),
    placedTool(place, tools.CHECK_PROGRAM.definition, async ({ text }) => check(place, textIn(text))),
    ...configured.map((program) => programTool(place, program)),
  ];
}

/** Whether a rule is written for them: `allow: "*"` alone is no reason to show every host what it has no use for. */
function isNamed(policy: Policy | undefined): boolean {
  const rules = policy?.configuration.rules ?? [];
  return rules.some(({ effect, pattern }) => effect === 'allow' && serverOf(pattern) === OWN_SERVER);
}

/** The program that a caller sent, over what it may know; nothing while no policy is in force. */
function checked(place: ProgramPlace, text: string): Parsed<Program> | undefined {
  const policy = place.policy();
  if (policy === undefined) return undefined;
  const principal = place.principal();
  const linked = linkSource(seenBy(policy, principal), principal, { file: SENT, text }, (name) => {
    return place.programs().get(name)?.source;
  });
  return linked.ok ? { ...linked, value: linked.value.program } : linked;
}

const NO_POLICY = 'no policy is in force';

function check(place: ProgramPlace, text: string): JsonObject {
  const parsed = checked(place, text);
  if (parsed === undefined) return refused('policy-invalid', NO_POLICY);
  const issues = toldIssues(parsed.issues, SENT);
  if (!parsed.ok) return toldAs({ ok: false, program: null, digest: null, steps: null, issues });
  const { name, digest, steps } = parsed.value;
  return toldAs({ ok: true, program: name, digest, steps: steps.size, issues });
}

async function save(place: ProgramPlace, text: string): Promise<JsonObject> {
  const parsed = checked(place, text);
  if (parsed === undefined) return refused('policy-invalid', NO_POLICY);
  const issues = toldIssues(parsed.issues, SENT);
  if (!parsed.ok) return refused('program-invalid', 'the program has mistakes, and was not saved', { issues });
  if (holdsSecret(place, text)) return refused('secret-found', 'the program holds a secret, and was not saved');
  const { name, digest } = parsed.value;
  if (await saveProgram(place, place.principal(), parsed.value)) {
    return toldAs({ program: tools.SAVED_PREFIX + name, digest, issues });
  }
  return refused('too-many', `you have ${SAVED_MAX} saved programs, and there is no room for another`);
}

/** What is saved stays in the log as it is. */
function holdsSecret({ policy, principal }: ProgramPlace, text: string): boolean {
  const call = { id: '', attempt: 1, key: '' };
  const request = { principal: principal(), tool: '', args: { text }, call, run: { id: '', depth: 0 }, now: 0 };
  const { places, problem } = secretsIn({}, policy(), request);
  return places.size > 0 || problem !== undefined;
}

async function list(place: ProgramPlace): Promise<JsonObject> {
  const configured = [...place.programs().values()].map(({ name, version, input }) => {
    return { program: name, version, input };
  });
  const saved = (await savedPrograms(place.ledger, place.principal())).map(({ name, ...more }) => {
    return { program: tools.SAVED_PREFIX + name, ...more };
  });
  return toldAs({ programs: [...configured, ...saved] });
}

async function get(place: ProgramPlace, program: string): Promise<JsonObject> {
  const source = await sourceOf(place, program);
  return source === undefined ? noSuchProgram(program) : toldAs({ program, text: source.text });
}

async function remove(place: ProgramPlace, program: string): Promise<JsonObject> {
  const name = program.slice(tools.SAVED_PREFIX.length);
  const isDeleted = await deleteProgram(place, place.principal(), name);
  return isDeleted ? toldAs({ program, deleted: true }) : noSuchProgram(program);
}
