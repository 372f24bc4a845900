/** `probe:` — how to find out whether a call of unknown outcome has happened: a tool that reads, and what it says. */

import { locateKey, readEntries, readFields, readText, refuse } from '../../document/reader.ts';
import type { Entry, Reader } from '../../document/reader.ts';
import type { Located } from '../../document/source.ts';

export interface ProbeDeclaration {
  /** Policy name of the tool that is asked. */
  readonly tool: Located;
  /** Its arguments as expressions over the call's. */
  readonly args: readonly ProbeArgument[];
  /** A condition over the call's arguments and the `output` of the probe. */
  readonly executed: Located;
}

interface ProbeArgument {
  readonly name: Located;
  readonly value: Located;
}

export function readProbe(reader: Reader, entry: Entry, what: string): ProbeDeclaration | undefined {
  let tool: Located | undefined;
  let executed: Located | undefined;
  let args: readonly ProbeArgument[] | undefined = [];
  const text = (inner: Entry): Located | undefined =>
    readText(reader, inner.value, inner.place, `\`${inner.key}\` of ${what}`);
  const parsers = {
    tool: (inner: Entry) => void (tool = text(inner)),
    args: (inner: Entry) => void (args = readArguments(reader, inner, `\`args\` of ${what}`)),
    executed: (inner: Entry) => void (executed = text(inner)),
  };
  const before = reader.issues.length;
  if (!readFields(reader, entry.value, entry.place, what, parsers)) return undefined;
  if (tool !== undefined && executed !== undefined && args !== undefined)
    return Object.freeze({ tool, args, executed });
  if (reader.issues.length > before) return undefined;
  const missing = tool === undefined ? 'tool' : 'executed';
  const hint = 'write `{ tool: NAME, args: { NAME: EXPRESSION }, executed: EXPRESSION }`';
  return refuse(reader, entry.keyPlace, 'missing-key', `${what} has no \`${missing}\``, hint);
}

function readArguments(reader: Reader, entry: Entry, what: string): readonly ProbeArgument[] | undefined {
  const args = readEntries(reader, entry.value, entry.place, what)?.map((inner) => {
    const value = readText(reader, inner.value, inner.place, `\`${inner.key}\` of ${what}`);
    return value === undefined ? undefined : { name: locateKey(inner), value };
  });
  return args?.every((argument) => argument !== undefined) === true ? args : undefined;
}
