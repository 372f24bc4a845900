/** npm packages that are servers: installed once into the data directory, and started only as they are pinned. */

import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { newId } from '../authority/draft.ts';
import { ProcessError } from '../guard/process/error.ts';
import { startProcess } from '../guard/process/spawn.ts';
import { errorCodeOf } from '../ledger/directory.ts';
import type { Lock } from '../policy/pin/lock.ts';
import type { LockedPackage, ServerPackage } from '../policy/tool/package.ts';
import type { ServerConfiguration } from '../policy/document/server.ts';
import { fromUtf8 } from '../value/encoding.ts';
import { type JsonObject, type JsonValue, isJsonObject, parseJson } from '../value/json.ts';
import type { World } from '../world/world.ts';
import { CliError } from './exit.ts';

type Servers = ReadonlyMap<string, ServerConfiguration>;

/** What npm may say before it is taken for a fault of npm, characters. */
const SAID_MAX = 4_000;
const INSTALL = ['install', '--ignore-scripts', '--save-exact', '--no-audit', '--no-fund', '--loglevel=error'];
const INTEGRITY = /^sha512-[A-Za-z0-9+/]{86}==$/u;

/** Where a package of this version is, or would be. */
function directoryOf(data: string, { name, version }: ServerPackage): string {
  return path.join(data, 'packages', `${name.replaceAll('/', '+')}@${version}`);
}

/**
 * The servers as they can be started: those of packages by Node, from where they were installed. Left out, and told to
 * `say` with the reason: a package that is not installed, or not the one that the lock holds.
 */
export function startable(
  servers: Servers,
  lock: Lock | undefined,
  data: string,
  say: (text: string) => void,
): Servers {
  const ready = new Map<string, ServerConfiguration>();
  for (const [id, server] of servers) {
    if (server.package === undefined) ready.set(id, server);
    else {
      const found = programOf(server.package, lock?.servers.get(id)?.package, data);
      if (found.ok) ready.set(id, { ...server, command: process.execPath, args: [found.program, ...server.args] });
      else say(`server ${id} is not started: ${found.message}`);
    }
  }
  return ready;
}

type Program = { readonly ok: true; readonly program: string } | { readonly ok: false; readonly message: string };

function programOf(wanted: ServerPackage, locked: LockedPackage | undefined, data: string): Program {
  const shown = `\`${wanted.name}@${wanted.version}\``;
  const found = installedIn(directoryOf(data, wanted), wanted);
  if (found === undefined) return refused(`${shown} is not installed; run \`interlock init\``);
  if (locked === undefined) return refused(`${shown} is not in the lock; run \`interlock init\``);
  if (locked.name !== wanted.name || locked.version !== wanted.version) {
    return refused(`the lock holds \`${locked.name}@${locked.version}\`, not ${shown}; run \`interlock init\``);
  }
  if (found.integrity !== locked.integrity) {
    return refused(`${shown} is installed with another integrity than the lock's, so it is another archive`);
  }
  if (found.program === undefined) return refused(`${shown} names no program of its own to run`);
  return { ok: true, program: found.program };
}

function refused(message: string): Program {
  return { ok: false, message };
}

interface Installed {
  readonly integrity: string;
  /** Absolute; absent when the package names none. */
  readonly program?: string;
}

function installedIn(directory: string, { name, version }: ServerPackage): Installed | undefined {
  const home = path.join(directory, 'node_modules', name);
  const manifest = readObject(path.join(home, 'package.json'));
  const packages = readObject(path.join(directory, 'package-lock.json'))?.['packages'];
  const entry = isJsonObject(packages) ? packages[`node_modules/${name}`] : undefined;
  if (manifest === undefined || !isJsonObject(entry)) return undefined;
  const { integrity } = entry;
  if (manifest['name'] !== name || manifest['version'] !== version || entry['version'] !== version) return undefined;
  if (typeof integrity !== 'string' || !INTEGRITY.test(integrity)) return undefined;
  const own = binOf(manifest, name);
  const program = own === undefined ? undefined : path.resolve(home, own);
  const isInside = program?.startsWith(`${home}${path.sep}`) === true;
  return program !== undefined && isInside ? { integrity, program } : { integrity };
}

/** The only program of a package, or the one of its name. */
function binOf({ bin }: JsonObject, name: string): string | undefined {
  if (typeof bin === 'string') return bin;
  if (!isJsonObject(bin)) return undefined;
  const programs = Object.entries(bin);
  const [, chosen] =
    (programs.length === 1 ? programs[0] : programs.find(([own]) => own === path.basename(name))) ?? [];
  return typeof chosen === 'string' ? chosen : undefined;
}

function readObject(file: string): JsonObject | undefined {
  let value: JsonValue | undefined;
  try {
    const parsed = parseJson(fromUtf8(readFileSync(file)) ?? '');
    value = parsed.ok ? parsed.value : undefined;
  } catch (error) {
    if (errorCodeOf(error) === undefined) throw error;
  }
  return isJsonObject(value) ? value : undefined;
}

/** What installing needs of its surroundings. */
export interface InstallOptions {
  readonly data: string;
  /** npm's, whole: it is the user's own client, with the user's registry and certificates. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly world: World;
  /** Takes one line: what is done, since it may take long. */
  readonly log: (line: string) => void;
}

/**
 * Installs the package with npm, without running any script of it, unless that was done before. Throws a `CliError` when
 * it cannot be had, and when it is not the archive that `locked` holds.
 */
export async function installPackage(
  wanted: ServerPackage,
  locked: LockedPackage | undefined,
  options: InstallOptions,
): Promise<LockedPackage> {
  const target = directoryOf(options.data, wanted);
  const shown = `\`${wanted.name}@${wanted.version}\``;
  let found = installedIn(target, wanted);
  if (found === undefined) {
    const draft = `${target}.${newId(options.world)}.tmp`;
    try {
      found = await installInto(draft, wanted, options);
      checkIntegrity(found, wanted, locked);
      rmSync(target, { recursive: true, force: true });
      // A crash before it leaves a draft that nothing starts; after it, the whole package.
      renameSync(draft, target);
    } catch (error) {
      const code = errorCodeOf(error);
      if (code === undefined || error instanceof CliError) throw error;
      throw new CliError('unreadable', `${shown} cannot be installed: the system says ${code}`, { cause: error });
    } finally {
      rmSync(draft, { recursive: true, force: true });
    }
  }
  checkIntegrity(found, wanted, locked);
  return { ...wanted, integrity: found.integrity };
}

function checkIntegrity({ integrity }: Installed, { name, version }: ServerPackage, locked?: LockedPackage): void {
  if (locked === undefined || locked.name !== name || locked.version !== version) return;
  if (locked.integrity === integrity) return;
  const message = `\`${name}@${version}\` is another archive than the lock holds: its integrity is ${integrity}`;
  throw new CliError('unreadable', message, { hint: 'find out why before you remove the package from the lock' });
}

async function installInto(draft: string, wanted: ServerPackage, options: InstallOptions): Promise<Installed> {
  const { name, version } = wanted;
  const shown = `\`${name}@${version}\``;
  mkdirSync(draft, { recursive: true, mode: 0o700 });
  const manifest = { private: true, dependencies: { [name]: version } };
  writeFileSync(path.join(draft, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);
  options.log(`installing ${name}@${version} with npm`);
  const { code, said } = await runNpm(draft, options);
  if (code !== 0) throw new CliError('unreadable', `${shown} cannot be installed, npm says: ${said}`);
  const found = installedIn(draft, wanted);
  if (found === undefined) throw new CliError('unreadable', `npm installed no ${shown} with a sha512 integrity`);
  return found;
}

async function runNpm(
  cwd: string,
  { environment, world }: InstallOptions,
): Promise<{ readonly code: number | null; readonly said: string }> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) if (value !== undefined) env[name] = value;
  try {
    const npm = await startProcess({ command: 'npm', args: INSTALL, env, cwd }, world);
    npm.stdin.end();
    npm.stdout.resume();
    let said = '';
    npm.stderr.on('data', (chunk: Buffer) => (said = `${said}${chunk.toString('utf8')}`.slice(0, SAID_MAX)));
    const { code } = await npm.ended;
    return { code, said: said.trim().replaceAll(/\s+/gu, ' ') };
  } catch (error) {
    if (!(error instanceof ProcessError)) throw error;
    throw new CliError('unreadable', `npm cannot be started: ${error.message}`, { hint: 'install Node with npm' });
  }
}
