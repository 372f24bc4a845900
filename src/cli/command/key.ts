/** `interlock key rotate`: a new epoch, and the end of what only the key before it could open. */

import { rotateKey } from '../../authority/rotate.ts';
import { systemWorld } from '../../world/system.ts';
import { type CommonOptions, requireNamed } from '../configuration.ts';
import { openData } from '../data.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import { systemUser } from '../reason.ts';
import { type Terminal, inertJson, writeLine } from '../terminal.ts';

const LATER: ReadonlySet<string> = new Set(['add', 'list', 'revoke']);

export async function keyCommand(
  terminal: Terminal,
  options: CommonOptions & { readonly action: string },
): Promise<ExitCode> {
  const { action, json } = options;
  if (LATER.has(action)) throw new CliError('not-available-yet', `\`key ${action}\` is not available yet`);
  if (action !== 'rotate') throw new CliError('usage', `expected rotate, got \`${action}\``);
  await requireNamed(terminal, options);
  await using data = await openData(terminal, options, { create: false });
  const { epoch, destroyed } = await rotateKey(data.ledger, systemWorld, data.vault.keyring, systemUser());
  const told = `epoch ${epoch} has begun, and the key of ${destroyed.map((one) => `epoch ${one}`).join(', ')} is destroyed`;
  writeLine(terminal.output, json ? inertJson({ ok: true, epoch, destroyed }) : told);
  return EXIT.ok;
}
