/** How long the key that wraps all others lasts, as far as a configuration says so. */

import { EPOCH_MS } from '../authority/rotate.ts';
import { type CommonOptions, loadConfiguration } from './configuration.ts';
import type { Terminal } from './terminal.ts';

/** Milliseconds; a configuration in this directory is not the one of a data directory that was named alone. */
export async function epochLasts(terminal: Terminal, common: CommonOptions): Promise<number> {
  if (common.data !== undefined && common.config === undefined) return EPOCH_MS;
  const { configuration } = await loadConfiguration(terminal, common);
  return configuration?.personal.epochMs ?? EPOCH_MS;
}
