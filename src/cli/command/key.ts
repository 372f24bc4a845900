/** `interlock key`: the keys that sign the log, and the one that wraps what is sealed in it. */

import { rotateKey } from '../../authority/rotate.ts';
import { addSigner, listSigners, revokeSigner } from '../../authority/signers.ts';
import { systemWorld } from '../../world/system.ts';
import { type CommonOptions, dataDirectory, requireNamed } from '../configuration.ts';
import { type OpenData, openData } from '../data.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import { reasonOf, systemUser } from '../reason.ts';
import { type Terminal, inert, inertJson, writeLine } from '../terminal.ts';

export interface KeyOptions extends CommonOptions {
  readonly action: string;
  /** Of a key to revoke: its id or the whole line. */
  readonly key?: string;
  readonly reason?: string;
}

type Run = (terminal: Terminal, options: KeyOptions, data: OpenData) => Promise<ExitCode>;

const ACTIONS: ReadonlyMap<string, Run> = new Map([
  ['add', add],
  ['list', list],
  ['revoke', revoke],
  ['rotate', rotate],
]);

export async function keyCommand(terminal: Terminal, options: KeyOptions): Promise<ExitCode> {
  const { action, key } = options;
  const run = ACTIONS.get(action);
  if (run === undefined) throw new CliError('usage', `expected add, list, revoke or rotate, got \`${action}\``);
  if ((key !== undefined) !== (action === 'revoke')) {
    throw new CliError('usage', action === 'revoke' ? 'expected the key to revoke' : `\`key ${action}\` takes no key`, {
      hint: 'interlock key list shows them',
    });
  }
  await requireNamed(terminal, options);
  await using data = await openData(terminal, options, { create: false });
  return await run(terminal, options, data);
}

function said({ reason }: KeyOptions): { readonly by: string; readonly reason?: string } {
  const by = systemUser();
  return reason === undefined ? { by } : { by, reason: reasonOf(reason, 'a key') };
}

async function add(terminal: Terminal, options: KeyOptions, { ledger, world }: OpenData): Promise<ExitCode> {
  const key = await addSigner(ledger, world, dataDirectory(terminal, options), said(options));
  if (options.json) writeLine(terminal.output, inertJson({ ok: true, key }));
  else writeLine(terminal.output, `checkpoints are signed with a new key from now on: ${inert(key)}`);
  return EXIT.ok;
}

async function list(terminal: Terminal, { json }: KeyOptions, { ledger }: OpenData): Promise<ExitCode> {
  const keys = await listSigners(ledger);
  if (json) {
    const told = keys.map(({ key, id, entry, at, signs, revoked }) => ({
      key,
      id,
      entry,
      at,
      signs,
      ...(revoked === undefined ? {} : { revoked: { ...revoked } }),
    }));
    writeLine(terminal.output, inertJson({ keys: told }));
    return EXIT.ok;
  }
  for (const { key, id, entry, at, signs, revoked } of keys) {
    const end = revoked === undefined ? '' : `, revoked ${revoked.at} in entry ${revoked.entry}`;
    writeLine(terminal.output, `${id}  since ${at}, entry ${entry}${signs ? ', signs now' : end}  ${inert(key)}`);
  }
  return EXIT.ok;
}

async function revoke(terminal: Terminal, options: KeyOptions, { ledger, world }: OpenData): Promise<ExitCode> {
  const revoked = await revokeSigner(ledger, world, options.key ?? '', said(options));
  if (options.json) {
    const { ok } = revoked;
    writeLine(terminal.output, inertJson(revoked.ok ? { ok, key: revoked.key } : { ...revoked }));
  } else if (revoked.ok) {
    writeLine(terminal.output, `revoked: what it signs from now on is bad: ${inert(revoked.key)}`);
  } else {
    writeLine(terminal.errors, `interlock: ${inert(revoked.message)} [${revoked.code}]`);
  }
  return revoked.ok ? EXIT.ok : EXIT.wrong;
}

async function rotate(terminal: Terminal, { json }: KeyOptions, data: OpenData): Promise<ExitCode> {
  const { epoch, destroyed } = await rotateKey(data.ledger, systemWorld, data.vault.keyring, systemUser());
  const told = `epoch ${epoch} has begun, and the key of ${destroyed.map((one) => `epoch ${one}`).join(', ')} is destroyed`;
  writeLine(terminal.output, json ? inertJson({ ok: true, epoch, destroyed }) : told);
  return EXIT.ok;
}
