/** The witnesses that a configuration or a command line names, and what those say who were asked. */

import { type Witness, type WitnessAnswer, askWitness } from '../authority/witness.ts';
import type { WitnessedLog } from '../ledger/sqlite/witnessed-log.ts';
import type { Configuration } from '../policy/document/configuration.ts';
import { parseWitnessKey } from '../tlog/cosignature.ts';
import { fromUtf8 } from '../value/encoding.ts';
import { systemWorld } from '../world/system.ts';
import { type CommonOptions, loadConfiguration } from './configuration.ts';
import { CliError } from './exit.ts';
import { readNamed } from './file.ts';
import type { Terminal } from './terminal.ts';

/** How long somebody waits for witnesses, milliseconds. */
const WITNESS_WAIT_MS = 5_000;

const KEY_BYTES_MAX = 64 * 1024;

export function witnessesOf(configuration: Configuration | undefined): readonly Witness[] {
  return (configuration?.checkpoints.witnesses ?? []).map(({ key, url }) => {
    const parsed = parseWitnessKey(key);
    return parsed === undefined ? { url } : { url, key: parsed };
  });
}

/** None for a configuration that cannot be used, nor for a data directory that was named alone. */
export async function configuredWitnesses(terminal: Terminal, common: CommonOptions): Promise<readonly Witness[]> {
  if (common.data !== undefined && common.config === undefined) return [];
  const { configuration } = await loadConfiguration(terminal, common);
  return witnessesOf(configuration);
}

/** The witness at `url`; its key is what was given, or what `configured` says of that place. */
export async function namedWitness(
  terminal: Terminal,
  { url, key }: { readonly url: string; readonly key?: string },
  configured: readonly Witness[],
): Promise<Witness> {
  if (!/^https?:\/\//iu.test(url)) {
    throw new CliError('usage', `expected \`--witness\` to be an http or https URL, got \`${url}\``);
  }
  if (key === undefined) return configured.find((witness) => witness.url === url) ?? { url };
  const text = parseWitnessKey(key) === undefined ? fromUtf8(await readNamed(terminal, key, KEY_BYTES_MAX)) : key;
  const parsed = parseWitnessKey(text?.trim() ?? '');
  if (parsed !== undefined) return { url, key: parsed };
  throw new CliError('unreadable', `\`${key}\` is no key of a witness`, {
    hint: 'expected one line NAME+ID+KEY for cosignatures, or a file that holds it',
  });
}

export interface Asked {
  readonly witness: Witness;
  readonly answer: WitnessAnswer;
}

/** Asks all at once; resolves when the last one has answered or its time is up. */
export function askAll(witnesses: readonly Witness[], log: WitnessedLog): Promise<readonly Asked[]> {
  const asking = { log, world: systemWorld, timeoutMs: WITNESS_WAIT_MS };
  return Promise.all(
    witnesses.map(async (witness) => ({ witness, answer: await askWitness(witness, { size: 0 }, asking) })),
  );
}

/** What to call a witness. */
export function nameOf({ key, url }: Witness): string {
  return key === undefined ? url : key.name;
}

/** Why there is no cosignature, in one line for people. */
export function refusalOf({ witness, answer }: Asked): string | undefined {
  const name = `the witness \`${nameOf(witness)}\``;
  switch (answer.kind) {
    case 'cosigned':
      return undefined;
    case 'failed':
      return `${name} did not cosign: ${answer.message}`;
    case 'ahead':
      return `${name} has seen ${answer.size} entries of this log, more than it has: it is an older copy of itself`;
    case 'differs':
      return `${name} has seen other entries among the first ${answer.size} of this log`;
  }
}
