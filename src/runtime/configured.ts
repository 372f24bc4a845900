/** Programs that a configuration names, as far as their files alone tell: linked when they are run. */

import { readProgram } from '../program/read.ts';
import type { Parsed } from '../value/issue.ts';
import type { JsonObject } from '../value/json.ts';
import type { ProgramSource } from './catalog.ts';

export interface ConfiguredProgram {
  /** By which the configuration knows it; its file may have another. */
  readonly name: string;
  readonly source: ProgramSource;
  /** Whether hosts see it as one tool. */
  readonly isTool: boolean;
  readonly version: number;
  /** The schema of what it is given. */
  readonly input: JsonObject;
}

export function readConfigured(
  { name, isTool }: Pick<ConfiguredProgram, 'name' | 'isTool'>,
  source: ProgramSource,
): Parsed<ConfiguredProgram> {
  const read = readProgram(source.text, source.file);
  if (!read.ok) return read;
  const { version, input } = read.value;
  return { ok: true, value: { name, source, isTool, version, input }, issues: read.issues };
}
