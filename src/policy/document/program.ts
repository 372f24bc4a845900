/** `programs:` — the programs that a configuration names: to be run, called by others, and served as tools. */

import type { Entry, Reader } from '../../document/reader.ts';
import { readEntries, readFields, readText, readWord, refuse, shown } from '../../document/reader.ts';
import type { Located } from '../../document/source.ts';

export interface ProgramDeclaration {
  readonly name: string;
  /** As written: relative to the configuration's directory. */
  readonly file: Located;
  /** Whether hosts see it as one tool. */
  readonly isTool: boolean;
}

const PROGRAMS_MAX = 1_000;
const NAME = /^[a-z][a-z0-9_-]{0,63}$/;

export function readPrograms(reader: Reader, entry: Entry): ReadonlyMap<string, ProgramDeclaration> {
  const programs = new Map<string, ProgramDeclaration>();
  const entries = readEntries(reader, entry.value, entry.place, '`programs`') ?? [];
  if (entries.length > PROGRAMS_MAX) {
    refuse(reader, entry.keyPlace, 'too-many', `expected at most ${PROGRAMS_MAX} programs, got ${entries.length}`);
    return programs;
  }
  for (const program of entries) {
    const name = program.key;
    if (!NAME.test(name)) {
      const message = `expected a program's name of a-z, 0-9, \`-\` and \`_\`, got \`${shown(name)}\``;
      refuse(reader, program.keyPlace, 'name-malformed', message);
      continue;
    }
    const declared = readProgram(reader, program);
    if (declared !== undefined) programs.set(name, declared);
  }
  return programs;
}

function readProgram(reader: Reader, program: Entry): ProgramDeclaration | undefined {
  const what = `program \`${shown(program.key)}\``;
  let file: Located | undefined;
  let isTool = false;
  const parsers = {
    file: (entry: Entry) => void (file = readText(reader, entry.value, entry.place, `\`file\` of ${what}`)),
    as: (entry: Entry) => {
      isTool = readWord(reader, entry.value, entry.place, `\`as\` of ${what}`, ['tool']) !== undefined;
    },
  };
  if (!readFields(reader, program.value, program.place, what, parsers)) return undefined;
  if (file !== undefined) return Object.freeze({ name: program.key, file, isTool });
  return refuse(reader, program.keyPlace, 'missing-key', `${what} has no \`file\``, 'write `file: NAME.yaml`');
}
