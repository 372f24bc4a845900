/** The passphrase of an approver's key: from the environment, from a file, or asked on the terminal without echo. */

import type { Readable } from 'node:stream';
import { fromUtf8 } from '../value/encoding.ts';
import { CliError } from './exit.ts';
import { readNamed } from './file.ts';
import { type Terminal, writeLine } from './terminal.ts';

export interface PassphraseOptions {
  /** `-` for standard input. */
  readonly passphraseFile?: string;
}

const VARIABLE = 'INTERLOCK_PASSPHRASE';
const PASSPHRASE_MIN = 8;
const PASSPHRASE_BYTES_MAX = 1_024;
const INTERRUPT = '\u0003';
const END_OF_INPUT = '\u0004';
const ERASE: ReadonlySet<string> = new Set(['\u0008', '\u007f']);

/** The passphrase of a key that exists. Throws `usage` where nobody can be asked and `unreadable` for the file. */
export function readPassphrase(terminal: Terminal, options: PassphraseOptions): Promise<string> {
  return given(terminal, options) ?? ask(terminal, 'passphrase: ');
}

/** The passphrase of a new key, asked twice where it is typed. Throws `usage` also for one that is too short. */
export async function choosePassphrase(terminal: Terminal, options: PassphraseOptions): Promise<string> {
  const passphrase = await (given(terminal, options) ?? askTwice(terminal));
  if ([...passphrase].length >= PASSPHRASE_MIN) return passphrase;
  throw new CliError('usage', `expected a passphrase of at least ${PASSPHRASE_MIN} characters`);
}

function given(terminal: Terminal, { passphraseFile }: PassphraseOptions): Promise<string> | undefined {
  if (passphraseFile !== undefined) return readFile(terminal, passphraseFile);
  const variable = terminal.environment[VARIABLE] ?? '';
  return variable === '' ? undefined : Promise.resolve(variable);
}

/** The first line: what follows the newline that editors and `echo` leave is nobody's passphrase. */
async function readFile(terminal: Terminal, file: string): Promise<string> {
  const text = fromUtf8(await readNamed(terminal, file, PASSPHRASE_BYTES_MAX));
  const [line = ''] = text?.split(/\r?\n/u) ?? [];
  if (line !== '') return line;
  throw new CliError('unreadable', `\`${file}\` holds no passphrase on its first line`);
}

async function askTwice(terminal: Terminal): Promise<string> {
  const first = await ask(terminal, 'new passphrase: ');
  if ((await ask(terminal, 'the same again: ')) === first) return first;
  throw new CliError('usage', 'the two passphrases differ');
}

async function ask(terminal: Terminal, prompt: string): Promise<string> {
  if (!terminal.attended.input || !terminal.attended.errors) {
    throw new CliError('usage', 'a passphrase is needed and nobody can be asked', {
      hint: `set ${VARIABLE} or give --passphrase-file FILE`,
    });
  }
  const input: Readable & { setRawMode?: (raw: boolean) => unknown } = terminal.input;
  // Raw: the terminal shows nothing of what is typed, and leaves erasing and interrupting to us. Before the prompt, so
  // that nothing of an early answer is shown either.
  input.setRawMode?.(true);
  try {
    terminal.errors.write(prompt);
    return await readTyped(input);
  } finally {
    input.setRawMode?.(false);
    writeLine(terminal.errors, '');
  }
}

/** One line as it is typed; what follows it stays in the stream for the next question. */
function readTyped(input: Readable): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const decoder = new TextDecoder();
  let typed: readonly string[] = [];
  const abandon = (): void => reject(new CliError('usage', 'no passphrase was given'));
  const take = (bytes: Buffer): void => {
    for (let at = 0; at < bytes.length; at += 1) {
      for (const character of decoder.decode(bytes.subarray(at, at + 1), { stream: true })) {
        if (character === INTERRUPT || character === END_OF_INPUT) return abandon();
        if (character === '\r' || character === '\n') {
          const rest = bytes.subarray(at + 1);
          input.off('data', take);
          input.pause();
          if (rest.length > 0) input.unshift(rest);
          return resolve(typed.join(''));
        }
        if (ERASE.has(character)) typed = typed.slice(0, -1);
        else if (typed.length < PASSPHRASE_BYTES_MAX) typed = [...typed, character];
      }
    }
  };
  input.on('data', take);
  input.once('end', abandon);
  input.once('error', abandon);
  input.resume();
  return promise.finally(() => {
    input.off('data', take).off('end', abandon).off('error', abandon);
    input.pause();
  });
}
