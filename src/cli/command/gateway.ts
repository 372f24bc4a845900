/** `interlock gateway`: MCP on standard input and output, with every call decided and recorded. */

import type { Witness } from '../../authority/witness.ts';
import { type Witnessing, keepWitnesses, requireWitnessed } from '../../authority/witnessing.ts';
import { newId } from '../../authority/draft.ts';
import { keepVault } from '../../authority/vault-upkeep.ts';
import { type Gateway, openGateway } from '../../gateway/gateway.ts';
import { programTools } from '../../gateway/program-tools.ts';
import type { OpenCalls } from '../../gateway/telemetry.ts';
import type { ConfiguredProgram } from '../../runtime/configured.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { withoutSecrets } from '../../guard/secret/find.ts';
import { type Ledger, LedgerError } from '../../ledger/ledger.ts';
import type { ServerConfiguration } from '../../policy/document/server.ts';
import { type CommonOptions, dataDirectory, loadConfiguration } from '../configuration.ts';
import { openData } from '../data.ts';
import { drive } from '../drive.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import { counted, showIssues } from '../issues.ts';
import { startable } from '../installed-package.ts';
import { Session } from '../session.ts';
import { type Terminal, inert, writeLine } from '../terminal.ts';
import { VERSION } from '../version.ts';
import type { World } from '../../world/world.ts';
import { witnessesOf } from '../witnesses.ts';
import type { Reach } from '../../authority/proposal.ts';
import type { Configuration } from '../../policy/document/configuration.ts';
import { openModels } from '../../runtime/model/models.ts';
import type { Loaded } from '../configuration.ts';

/** How many attempts a call makes by itself, where that is safe. */
const ATTEMPTS_MAX = 3;
/** How long a start waits for each answer of a witness, milliseconds. */
const START_WAIT_MS = 3_000;
/** How long outcomes of runs may take to be recorded at the end, milliseconds. */
const RECORD_MS = 2_000;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export async function gatewayCommand(
  terminal: Terminal,
  options: CommonOptions & { readonly http?: unknown },
): Promise<ExitCode> {
  if (options.http !== undefined) throw new CliError('not-available-yet', '`gateway --http` is not available yet');
  const log = (line: string): void => writeLine(terminal.errors, `interlock: ${inert(withoutSecrets(line))}`);
  const first = await loadConfiguration(terminal, options);
  const directory = dataDirectory(terminal, options);
  await using data = await openData(terminal, options, { create: true, loaded: first });
  const { world } = data;
  // The gateway needs the authority's door, and the authority reaches tools through the gateway.
  const opened: { gateway?: Gateway; session?: Session } = {};
  const programs = (): ReadonlyMap<string, ConfiguredProgram> => opened.session?.used?.programs?.programs ?? new Map();
  const settled = async (): Promise<void> => opened.gateway?.settled;
  const principal = (): string => opened.session?.principal ?? 'local';
  const models = modelsOf(terminal, world, () => opened.session?.used ?? first);
  const { authority, runtime } = drive(data, {
    loaded: first,
    directory,
    attemptsMax: ATTEMPTS_MAX,
    reach: (tool, timeoutMs) => opened.gateway?.reach(tool) ?? models()(tool, timeoutMs),
    programs: (name) => programs().get(name)?.source,
    principals: () => [principal()],
    log,
  });
  const witnesses = (): readonly Witness[] => witnessesOf(opened.session?.configuration ?? first.configuration);
  const witnessing = { ledger: data.ledger, world, witnesses, log };
  await requireWitnessed(witnessing, START_WAIT_MS);
  const recovered = await authority.recover();
  if (recovered > 0) {
    log(`a process died before the outcome of ${counted(recovered, 'call')} was recorded: unknown from now on`);
  }
  const session = new Session({
    authority,
    ledger: data.ledger,
    world,
    id: newId(world),
    trusted: await authority.trusted(),
    load: () => loadConfiguration(terminal, options),
    log,
    own: () => programTools({ ...data, runtime, policy: () => authority.policy, settled, principal, programs }),
    upkeep: ({ personal }) => keepVault(data.ledger, world, data.vault.keyring, personal.epochMs),
    show: (issues, { shown, source }) => showIssues(terminal, issues, shown, source),
  });
  opened.session = session;
  session.take(first);
  const servers = (): ReadonlyMap<string, ServerConfiguration> =>
    startable(session.configuration?.servers ?? new Map(), session.used?.lock, directory, log);
  const gateway = openGateway({
    servers: servers(),
    directory: first.directory,
    environment: terminal.environment,
    door: session.door(),
    input: terminal.input,
    output: terminal.output,
    log: (line) => writeLine(terminal.errors, inert(line)),
    world,
    version: VERSION,
    open: () => openCalls(data.ledger),
    ending: () => runtime.stop(),
  });
  opened.gateway = gateway;
  if (terminal.attended.input) log('this speaks MCP on standard input, for a host to start; Ctrl-D ends it');
  await serve(terminal, { gateway, session, runtime, servers, log, witnessing });
  await atRest(world, runtime);
  await session.recorded();
  await requireRecording(data.ledger);
  return EXIT.ok;
}

/** The models of the configuration in force: opened once for each. */
function modelsOf(terminal: Terminal, world: World, loaded: () => Loaded): () => Reach {
  let opened: { readonly of: Configuration | undefined; readonly reach: Reach } | undefined;
  return () => {
    const { configuration, directory } = loaded();
    const { environment } = terminal;
    const models = configuration?.models ?? new Map();
    if (opened?.of !== configuration || opened === undefined) {
      opened = { of: configuration, reach: openModels(models, { world, environment, directory }) };
    }
    return opened.reach;
  };
}

/** What runs of programs have under way is recorded; what takes longer is found by the next process. */
async function atRest(world: World, runtime: Runtime): Promise<void> {
  const rested = new AbortController();
  await Promise.race([runtime.idle(), world.sleep(RECORD_MS, rested.signal)]);
  rested.abort();
}

async function openCalls(ledger: Ledger): Promise<OpenCalls> {
  const [parked, running, unknown] = await Promise.all([
    ledger.parked(),
    ledger.unsettled('intent'),
    ledger.unsettled('unknown'),
  ]);
  return { parked: parked.length, running: running.length, unknown: unknown.length };
}

interface Serving {
  readonly gateway: Gateway;
  readonly session: Session;
  readonly runtime: Runtime;
  /** Of the policy in force, those that can be started. */
  readonly servers: () => ReadonlyMap<string, ServerConfiguration>;
  readonly log: (line: string) => void;
  readonly witnessing: Witnessing;
}

/** Until the input ends or this process is asked to end; a second signal ends it as signals do. */
async function serve(terminal: Terminal, serving: Serving): Promise<void> {
  const { gateway, session, runtime, servers, log, witnessing } = serving;
  const ended = new AbortController();
  const changed = (): void => {
    gateway.reconfigure(servers());
    gateway.policyChanged();
    log('the configuration was reloaded');
  };
  const watching = [session.watch(ended.signal, changed), session.answers(ended.signal, changed)];
  watching.push(session.exceptions(ended.signal, () => gateway.policyChanged()));
  const close = (): void => void gateway.close();
  for (const signal of SIGNALS) terminal.signals.once(signal, close);
  const claiming = session.claim(ended.signal);
  const tending = session.tend(ended.signal);
  const probing = session.probe(ended.signal);
  // Before the servers are there a step would be denied because its server is away.
  const driving = gateway.settled.then(() => session.drive(runtime, ended.signal));
  const witnessed = keepWitnesses(witnessing, ended.signal);
  await gateway.ended;
  for (const signal of SIGNALS) terminal.signals.off(signal, close);
  ended.abort();
  await Promise.all([...watching, claiming, tending, probing, driving, witnessed]);
}

/** Signs what was recorded; a ledger that stopped meanwhile is the end of this command, not only of its calls. */
async function requireRecording(ledger: Ledger): Promise<void> {
  try {
    await ledger.checkpoint();
  } catch (error) {
    // A sibling that holds the lock has signed it, or will.
    if (!(error instanceof LedgerError) || error.code !== 'busy') throw error;
  }
}
