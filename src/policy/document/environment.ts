/** `${NAME}` in a server's environment: replaced for the child alone, kept as written everywhere else. */

import { shown, refuse, warn } from '../../document/reader.ts';
import type { Reader } from '../../document/reader.ts';
import { locate } from '../../document/source.ts';
import type { Located } from '../../document/source.ts';

/** A value for a child's environment. Only `template` may be logged, recorded or digested. */
export interface EnvironmentValue {
  /** The value as written, `${NAME}` unreplaced. */
  readonly template: string;
  /** What the child gets. Not enumerable: printing or serializing a configuration does not show it. */
  readonly value: string;
}

const VARIABLE = /\$\{([^}]*)(\}?)/gu;
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/u;

/** Replaces every `${NAME}`, or answers `undefined` with an error for each that is malformed or unset. */
export function expand(reader: Reader, template: Located, what: string): EnvironmentValue | undefined {
  let failed = false;
  const value = template.text.replaceAll(VARIABLE, (written: string, name: string, close: string, offset: number) => {
    const found = lookUp(reader, template, what, { written, name: close === '}' ? name : '', offset });
    failed ||= found === undefined;
    return found ?? '';
  });
  if (failed) return undefined;
  const result = { template: template.text, value };
  Object.defineProperty(result, 'value', { enumerable: false });
  return Object.freeze(result);
}

function lookUp(
  reader: Reader,
  template: Located,
  what: string,
  variable: { readonly written: string; readonly name: string; readonly offset: number },
): string | undefined {
  const place = locate(template, variable.offset);
  if (!NAME.test(variable.name)) {
    const message = `expected \`\${NAME}\` in ${what}, got \`${shown(variable.written)}\``;
    return refuse(reader, place, 'environment-malformed', message, 'NAME is letters, digits and `_`, no digit first');
  }
  const { environment } = reader;
  const value = Object.hasOwn(environment, variable.name) ? environment[variable.name] : undefined;
  if (value !== undefined) return value;
  const hint = `set ${variable.name} in the environment of interlock`;
  return refuse(reader, place, 'environment-unset', `\`${variable.written}\` in ${what} is not set`, hint);
}

/** Warns of a `${NAME}` where none is replaced. */
export function warnUnreplaced(reader: Reader, text: Located, what: string): void {
  for (const match of text.text.matchAll(VARIABLE)) {
    const message = `\`${shown(match[0])}\` stays as it is: variables are replaced in \`env\` only, not in ${what}`;
    warn(reader, locate(text, match.index), 'environment-not-replaced', message);
  }
}
