/** The first entry of a run: what it is, what it was given, and what it may do from then on. */

import {
  type Basis as DecisionBasis,
  basisDrafts,
  basisReads,
  basisOf as decisionBasisOf,
} from '../authority/basis.ts';
import { draft } from '../authority/draft.ts';
import { recordArgs } from '../authority/personal.ts';
import { NO_SECRETS, secretsIn } from '../authority/secret.ts';
import { withoutIdentifiers } from '../guard/personal/identifier.ts';
import type { Facts, Writes } from '../ledger/ledger.ts';
import { RUN_FOLDER, runFacts } from '../ledger/run.ts';
import type { Policy } from '../policy/compile.ts';
import { type Capability, capabilityData, capabilityOf } from '../policy/decide/capability.ts';
import { begin, isOver } from '../program/transition.ts';
import { checkArguments } from '../schema/schema.ts';
import type { JsonObject } from '../value/json.ts';
import { type Linked, toolsOf } from './catalog.ts';
import { type Content, contentDrafts, contentFacts } from './content.ts';
import type { RuntimeOptions } from './deps.ts';
import { type Parent, type Standing, type Started, endedFields, standingFields, startedFields } from './entry.ts';
import { patiently, recordOutput } from './live.ts';
import type { LoadedRun } from './load.ts';
import { firstSnapshot } from './snapshot.ts';
import { waitsAfter } from './waits.ts';

/** A run that is to be. */
export interface Starting {
  readonly id: string;
  readonly principal: string;
  readonly linked: Linked;
  readonly input: JsonObject;
  /** Of the run that calls it: what that may do, this may. */
  readonly above?: { readonly parent: Parent; readonly depth: number; readonly capability: Capability };
  /** Properties that are not proved, and that it starts without. */
  readonly unproved?: readonly string[];
}

export const NOT_STARTED_CODES = [
  'policy-invalid',
  'program-invalid',
  'input-invalid',
  'secret-cannot-wait',
  'unproved',
] as const;

export type NotStartedCode = (typeof NOT_STARTED_CODES)[number];

/** `exists`: a run with this id was started before. */
export type Starter =
  | { readonly kind: 'started'; readonly run: LoadedRun }
  | { readonly kind: 'exists' }
  | { readonly kind: 'refused'; readonly code: NotStartedCode; readonly message: string };

/** Makes the run durable, with nothing of it performed yet. Throws `LedgerError`; a crash leaves all of it or nothing. */
export async function startRun(options: RuntimeOptions, starting: Starting): Promise<Starter> {
  const { ledger, vault, world, authority } = options;
  const { policy } = authority;
  if (policy === undefined) return refused('policy-invalid', 'no policy is in force');
  const { id, linked, input, unproved = [] } = starting;
  const problem = problemOf(policy, starting);
  if (problem !== undefined) return problem;
  const { capability, contents, decided } = basisOf(policy, starting);
  const started = startedOf(starting, policy, capability);
  const moved = begin(linked.program, input);
  const { status, step } = moved.state;
  const waits = [...waitsAfter(new Map(), moved.state, undefined, world.now()).values()];
  const snapshot = firstSnapshot(vault, started, input, moved.commands);
  const standing: Standing = { seq: 0, status, step, steps: moved.entered, waits, snapshot, instance: ledger.instance };
  const args = recordArgs(vault, id, input);
  const end = isOver(moved.state) ? recordOutput(options, id, moved.state.ending?.output) : undefined;
  const fields = {
    ...startedFields(started, args.value, unproved),
    ...standingFields(standing),
    ...(end === undefined ? {} : endedFields(moved.state, end.value)),
  };
  const here = RUN_FOLDER + id;
  const compose = (facts: Facts): { readonly writes?: Writes; readonly result: boolean } => {
    if (facts.values.has(here)) return { result: false };
    const texts = [...basisDrafts(world, decided, facts), ...contentDrafts(world, contents, facts)];
    const entries = [...texts, draft(world, 'program.started', fields)];
    return { writes: { entries, bodies: [...args.bodies, ...(end?.bodies ?? [])] }, result: true };
  };
  const facts = [...runFacts(id), ...basisReads(decided), ...contentFacts(contents)];
  const isFirst = await patiently(options, () => ledger.transact({ facts }, compose));
  if (!isFirst) return { kind: 'exists' };
  return { kind: 'started', run: { started, linked, capability, state: moved.state, standing } };
}

interface Basis {
  readonly capability: Capability;
  /** What the log has to hold for the run to go on, and to be checked. */
  readonly contents: readonly Content[];
  /** The policy, its tools and their definitions, as decisions name them. */
  readonly decided: DecisionBasis;
}

const memory = new WeakMap<Policy, WeakMap<Linked, Basis>>();

/** The same for all runs of a program under one policy; a run that another calls may do what that may. */
function basisOf(policy: Policy, { linked, above }: Starting): Basis {
  const known = memory.get(policy) ?? new WeakMap<Linked, Basis>();
  memory.set(policy, known);
  const programs = [linked.program, ...linked.children.values()];
  const documents = programs.map(({ digest, content: value }) => ({ digest, value }));
  if (above !== undefined) {
    const { capability } = above;
    return { capability, contents: documents, decided: decisionBasisOf({ policy }, capability.tools) };
  }
  const before = known.get(linked);
  if (before !== undefined) return before;
  const capability = capabilityOf(policy, toolsOf(linked));
  const content = { digest: capability.digest, value: capabilityData(policy, capability.tools) };
  const decided = decisionBasisOf({ policy }, capability.tools);
  const basis = { capability, contents: [...documents, content], decided };
  known.set(linked, basis);
  return basis;
}

function startedOf({ id, principal, linked, above }: Starting, policy: Policy, capability: Capability): Started {
  const { program, children } = linked;
  return {
    id,
    principal,
    program: program.digest,
    name: program.name,
    version: program.version,
    capability: capability.digest,
    tools: capability.tools,
    programs: new Map([...children].map(([name, { digest }]) => [name, digest])),
    depth: above?.depth ?? 0,
    policy: policy.digest,
    catalog: policy.catalog.digest,
    ...(above === undefined ? {} : { parent: above.parent }),
  };
}

/** An input must outlive the process, and a secret may not. */
function problemOf(policy: Policy, { id, principal, linked, input }: Starting): Starter | undefined {
  const [wrong] = checkArguments({ inputSchema: linked.program.input }, input);
  if (wrong !== undefined) return refused('input-invalid', `the input ${wrong.message} at \`${wrong.pointer || '/'}\``);
  const request = {
    principal,
    tool: '',
    args: input,
    call: { id, attempt: 1, key: '' },
    run: { id, depth: 0 },
    now: 0,
  };
  const secrets = secretsIn({}, policy, request);
  if (secrets === NO_SECRETS || (secrets.places.size === 0 && secrets.problem === undefined)) return undefined;
  const [place = ''] = secrets.places.keys();
  return refused(
    'secret-cannot-wait',
    `the input holds a secret at \`${withoutIdentifiers(place)}\`, and a run may wait for days`,
  );
}

function refused(code: NotStartedCode, message: string): Starter {
  return { kind: 'refused', code, message };
}
