/** All that it takes to move runs of programs without a host: ledger, authority, servers and runtime, for one command. */

import type { Authority } from '../authority/authority.ts';
import { newId } from '../authority/draft.ts';
import type { Reach } from '../authority/proposal.ts';
import { openServers } from '../gateway/inspect.ts';
import { withoutSecrets } from '../guard/secret/find.ts';
import { openModels } from '../runtime/model/models.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { type CommonOptions, type Usable, dataDirectory, loadConfiguration } from './configuration.ts';
import { type OpenData, openData } from './data.ts';
import { drive } from './drive.ts';
import { CliError } from './exit.ts';
import { startable } from './installed-package.ts';
import { firstError, forbidUse, showIssues } from './issues.ts';
import { Session } from './session.ts';
import { type Terminal, inert, writeLine } from './terminal.ts';
import { VERSION } from './version.ts';

export interface Engine extends AsyncDisposable {
  readonly data: OpenData;
  readonly authority: Authority;
  readonly runtime: Runtime;
  readonly configuration: Usable['configuration'];
}

/** How often runs that wait are looked at, milliseconds. */
const LOOK_EVERY_MS = 200;

/** Opens everything, with `create` a data directory where there is none. Throws `CliError` when the policy does not load. */
export async function openEngine(
  terminal: Terminal,
  options: CommonOptions,
  { create }: { readonly create: boolean },
): Promise<Engine> {
  const log = (line: string): void => writeLine(terminal.errors, `interlock: ${inert(withoutSecrets(line))}`);
  const loaded = await loadConfiguration(terminal, options);
  const { configuration } = loaded;
  if (configuration === undefined || forbidUse(loaded.issues)) {
    showIssues(terminal, loaded.issues, loaded.shown, loaded.source);
    throw new CliError('unreadable', `the policy cannot be used: ${firstError(loaded.issues, loaded.shown)}`);
  }
  const directory = dataDirectory(terminal, options);
  const stack = new AsyncDisposableStack();
  try {
    const data = stack.use(await openData(terminal, options, { create, loaded }));
    const { ledger, world } = data;
    const servers = stack.use(
      await openServers(startable(configuration.servers, loaded.lock, directory, log), {
        directory: loaded.directory,
        environment: terminal.environment,
        world,
        log: (line) => writeLine(terminal.errors, inert(line)),
        version: VERSION,
      }),
    );
    const models = openModels(configuration.models, {
      world,
      environment: terminal.environment,
      directory: loaded.directory,
    });
    const reach: Reach = (tool, timeoutMs) => servers.reach(tool) ?? models(tool, timeoutMs);
    const { authority, runtime } = drive(data, {
      loaded,
      directory,
      reach,
      programs: (name) => loaded.programs?.programs.get(name)?.source,
      log,
    });
    await authority.recover();
    const session = new Session({
      authority,
      ledger,
      world,
      id: newId(world),
      trusted: await authority.trusted(),
      load: () => loadConfiguration(terminal, options),
      log,
      // What is only worth a thought `check` says.
      show: (issues, { shown, source }) => {
        const errors = issues.filter(({ severity }) => severity === 'error');
        showIssues(terminal, errors, shown, source);
      },
    });
    const door = session.door();
    session.take(loaded);
    for (const [server, tools] of servers.tools) door.offered(server, tools);
    stack.defer(() => session.recorded());
    if (authority.policy === undefined) throw new CliError('unreadable', 'the policy cannot be used');
    const opened = stack.move();
    return { data, authority, runtime, configuration, [Symbol.asyncDispose]: () => opened.disposeAsync() };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

/** Runs what `work` begins until it rests, and meanwhile looks at what runs wait for. */
export async function untilRest({ data, runtime }: Engine, work: () => Promise<void>): Promise<void> {
  const ended = new AbortController();
  const looking = (async (): Promise<void> => {
    while (!ended.signal.aborted) {
      await data.world.sleep(LOOK_EVERY_MS, ended.signal);
      if (!ended.signal.aborted) await runtime.look();
    }
  })();
  try {
    await work();
    await runtime.idle();
  } finally {
    ended.abort();
    await looking;
  }
}
