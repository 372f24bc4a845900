/** The commands that hand the log, or parts of it, to others. */

import type { ReceiptOptions } from './command/receipt.ts';
import { CliError } from './exit.ts';
import { type Add, type Given, common, text } from './given.ts';
import type { Terminal } from './terminal.ts';

export function addEvidenceCommands(terminal: Terminal, add: Add): void {
  add('export', 'the log as tiles and a checkpoint (C2SP), for others to verify', async (given) => {
    const { exportCommand } = await import('./command/export.ts');
    const { out = '' } = text(given, 'out', 'out');
    return exportCommand(terminal, { ...common(given), ...witness(given), out });
  })
    .requiredOption(
      '-o, --out <dir>',
      'the directory to write; one that holds an export of this log is brought up to date',
    )
    .option('--witness <url>', 'have this witness (C2SP tlog-witness) cosign the checkpoint, or write nothing')
    .option('--witness-key <key>', 'its key, NAME+ID+KEY, or a file that holds it');
  add(
    'receipt <call|run>',
    'the entries of one call, or of a run and its calls, with the proofs that they are in the signed log',
    async (given, operands) => {
      const { receiptCommand } = await import('./command/receipt.ts');
      const [call = ''] = operands;
      const { out = '' } = text(given, 'out', 'out');
      return receiptCommand(terminal, { ...common(given), ...disclosure(given), call, out });
    },
  )
    .requiredOption('-o, --out <file>', 'the file to write')
    .option('--disclose <pointers...>', 'also open these sealed values, such as /args/name or /output')
    .option('--to <text>', 'who gets what is opened; recorded')
    .option('--reason <text>', 'why it is opened; recorded');
}

function witness(given: Given): { readonly witness?: string; readonly witnessKey?: string } {
  const { witnessKey } = given;
  if (witnessKey === '') throw new CliError('usage', '`--witness-key` is empty');
  return { ...text(given, 'witness', 'witness'), ...(typeof witnessKey === 'string' ? { witnessKey } : {}) };
}

/** What is opened is recorded with whom it is for and why; without anything to open both mean nothing. */
function disclosure(given: Given): Pick<ReceiptOptions, 'disclose'> {
  const { to, reason } = { ...text(given, 'to', 'to'), ...text(given, 'reason', 'reason') };
  const pointers = given['disclose'] as readonly string[] | undefined;
  if (pointers === undefined && to === undefined && reason === undefined) return {};
  if (pointers === undefined) throw new CliError('usage', '`--to` and `--reason` are for what `--disclose` opens');
  if (to === undefined || reason === undefined) {
    throw new CliError('usage', '`--disclose` needs `--to` and `--reason`: both are recorded');
  }
  return { disclose: { pointers, to, reason } };
}
