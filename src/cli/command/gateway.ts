/** `interlock gateway`: MCP on standard input and output, with every call decided and recorded. */

import { realpathSync } from 'node:fs';
import path from 'node:path';
import { Authority } from '../../authority/authority.ts';
import { newId } from '../../authority/draft.ts';
import { openGateway } from '../../gateway/gateway.ts';
import { systemWorld } from '../../world/system.ts';
import { type CommonOptions, dataDirectory, loadConfiguration, protectedPaths, showIssues } from '../configuration.ts';
import { openData } from '../data.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import { Session } from '../session.ts';
import { type Terminal, inert, writeLine } from '../terminal.ts';
import { VERSION } from '../version.ts';

export async function gatewayCommand(
  terminal: Terminal,
  options: CommonOptions & { readonly http?: unknown },
): Promise<ExitCode> {
  if (options.http !== undefined) throw new CliError('not-available-yet', '`gateway --http` is not available yet');
  const log = (line: string): void => writeLine(terminal.errors, `interlock: ${inert(line)}`);
  const first = await loadConfiguration(terminal, options);
  const directory = dataDirectory(terminal, options);
  await using data = await openData(directory, { create: true });
  const authority = new Authority(data.ledger, {
    vault: data.vault,
    world: systemWorld,
    resolveRoot: (within) => path.resolve(first.directory, within),
    protectedPaths: protectedPaths(first, realpathSync(directory)),
  });
  const recovered = await authority.recover();
  if (recovered > 0) log(`${recovered} calls were left without an outcome by a process that died; they are unknown now`);
  const session = new Session({
    ...{ authority, log, world: systemWorld, id: newId(systemWorld), file: first.file },
    load: () => loadConfiguration(terminal, options),
    show: (issues, source) => showIssues(terminal, issues, source),
  });
  session.take(first);
  const gateway = openGateway({
    servers: session.configuration?.servers ?? new Map(),
    directory: first.directory,
    environment: terminal.environment,
    door: session.door(),
    input: terminal.input,
    output: terminal.output,
    log: (line) => writeLine(terminal.errors, line),
    world: systemWorld,
    version: VERSION,
  });
  const ended = new AbortController();
  const watching = session.watch(ended.signal, () => {
    gateway.reconfigure(session.configuration?.servers ?? new Map());
    gateway.policyChanged();
    log('the configuration was reloaded');
  });
  await gateway.ended;
  ended.abort();
  await watching;
  await session.recorded();
  return EXIT.ok;
}
