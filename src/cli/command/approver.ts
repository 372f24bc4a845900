/** `interlock approver add ID`: makes the key of an approver and says what to write into the configuration. */

import path from 'node:path';
import { stringify } from 'yaml';
import { PRINCIPAL_LENGTH_MAX } from '../../policy/document/principal.ts';
import { systemWorld } from '../../world/system.ts';
import { alreadyThere, approverKeyFile, createApproverKey, hasApproverKey } from '../approver-key.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import { type PassphraseOptions, choosePassphrase } from '../passphrase.ts';
import { type Terminal, inert, inertJson, writeLine } from '../terminal.ts';

export interface ApproverOptions extends PassphraseOptions {
  readonly action: string;
  readonly id: string;
  readonly out?: string;
  readonly json: boolean;
}

export async function approverCommand(terminal: Terminal, options: ApproverOptions): Promise<ExitCode> {
  const { action, id, out } = options;
  if (action !== 'add') throw new CliError('usage', `expected add, got \`${action}\``);
  if (id === '' || id.length > PRINCIPAL_LENGTH_MAX || !id.isWellFormed() || /\p{Cc}/u.test(id)) {
    const message = `expected an id of 1 to ${PRINCIPAL_LENGTH_MAX} printable characters`;
    throw new CliError('usage', `${message}, got \`${id.slice(0, PRINCIPAL_LENGTH_MAX)}\``);
  }
  const file = out === undefined ? approverKeyFile(terminal, id) : path.resolve(terminal.directory, out);
  // Said before a passphrase is thought of.
  if (hasApproverKey(file)) throw alreadyThere(file);
  const { publicKey } = createApproverKey(file, await choosePassphrase(terminal, options), systemWorld);
  if (options.json) {
    writeLine(terminal.output, inertJson({ id, key: publicKey, file }));
    return EXIT.ok;
  }
  writeLine(terminal.errors, `made ${inert(file)}; write this into the configuration:`);
  const lines = stringify({ principals: { [id]: { key: publicKey } } }, { lineWidth: 0 }).trimEnd();
  for (const line of lines.split('\n')) writeLine(terminal.output, line);
  return EXIT.ok;
}
