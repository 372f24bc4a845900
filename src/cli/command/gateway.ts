/** `interlock gateway`: MCP on standard input and output, with every call decided and recorded. */

import { realpathSync } from 'node:fs';
import path from 'node:path';
import { Authority } from '../../authority/authority.ts';
import type { Witness } from '../../authority/witness.ts';
import { type Witnessing, keepWitnesses, requireWitnessed } from '../../authority/witnessing.ts';
import { newId } from '../../authority/draft.ts';
import { keepVault } from '../../authority/vault-upkeep.ts';
import { type Gateway, openGateway } from '../../gateway/gateway.ts';
import type { OpenCalls } from '../../gateway/telemetry.ts';
import { withoutSecrets } from '../../guard/secret/find.ts';
import { type Ledger, LedgerError } from '../../ledger/ledger.ts';
import type { ServerConfiguration } from '../../policy/document/server.ts';
import { type CommonOptions, dataDirectory, loadConfiguration, protectedPaths } from '../configuration.ts';
import { openData } from '../data.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import { counted, showIssues } from '../issues.ts';
import { startable } from '../installed-package.ts';
import { Session } from '../session.ts';
import { type Terminal, inert, writeLine } from '../terminal.ts';
import { VERSION } from '../version.ts';
import { witnessesOf } from '../witnesses.ts';

/** How many attempts a call makes by itself, where that is safe. */
const ATTEMPTS_MAX = 3;
/** How long a start waits for each answer of a witness, milliseconds. */
const START_WAIT_MS = 3_000;
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
  const authority = new Authority(data.ledger, {
    vault: data.vault,
    world,
    resolveRoot: (within) => path.resolve(first.directory, within),
    protectedPaths: protectedPaths(first, realpathSync(directory)),
    attemptsMax: ATTEMPTS_MAX,
    reach: (tool) => opened.gateway?.reach(tool),
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
  });
  opened.gateway = gateway;
  if (terminal.attended.input) log('this speaks MCP on standard input, for a host to start; Ctrl-D ends it');
  await serve(terminal, { gateway, session, servers, log, witnessing });
  await session.recorded();
  await requireRecording(data.ledger);
  return EXIT.ok;
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
  /** Of the policy in force, those that can be started. */
  readonly servers: () => ReadonlyMap<string, ServerConfiguration>;
  readonly log: (line: string) => void;
  readonly witnessing: Witnessing;
}

/** Until the input ends or this process is asked to end; a second signal ends it as signals do. */
async function serve(terminal: Terminal, { gateway, session, servers, log, witnessing }: Serving): Promise<void> {
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
  const witnessed = keepWitnesses(witnessing, ended.signal);
  await gateway.ended;
  for (const signal of SIGNALS) terminal.signals.off(signal, close);
  ended.abort();
  await Promise.all([...watching, claiming, tending, probing, witnessed]);
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
