/** What the demonstration promises, and how each promise is checked and printed. */

import picocolors from 'picocolors';
import type { CallResult } from './host.ts';

const { bold, dim, green, red, yellow } = picocolors;

/** One thing asked of Interlock, as the timeline shows it. */
export interface Told {
  readonly asked: string;
  readonly decided: string;
  readonly done: string;
  /** Why it was decided so, or, when it was simply allowed, what the tool answered. */
  readonly why: string;
}

/** Collects broken promises; the demonstration fails when there is one. */
export class Story {
  readonly broken: string[] = [];
  #step = 0;

  title(text: string): void {
    process.stdout.write(`\n${bold(text)}\n`);
  }

  note(text: string): void {
    process.stdout.write(`${text}\n`);
  }

  tell(told: Told): void {
    this.#step += 1;
    const number = String(this.#step).padStart(2);
    process.stdout.write(`\n${bold(`${number}  ${told.asked}`)}\n`);
    process.stdout.write(`    decided  ${colourOf(told.decided)(told.decided)}\n`);
    process.stdout.write(`    done     ${told.done}\n`);
    process.stdout.write(`    ${told.decided.startsWith('deny') ? 'why   ' : 'answer'}   ${dim(told.why)}\n`);
  }

  /** States a promise and whether it was kept. */
  promise(kept: boolean, text: string): void {
    process.stdout.write(`    ${kept ? green('✓') : red('✗')} ${text}\n`);
    if (!kept) this.broken.push(text);
  }
}

function colourOf(decided: string): (text: string) => string {
  if (decided.startsWith('allow')) return green;
  return decided.startsWith('deny') ? red : yellow;
}

/** How a call's answer reads in the timeline. */
export function toldOf(asked: string, result: CallResult, done: string): Told {
  const allowed = result.code === 'allowed';
  const rules = result.rules.length === 0 ? '' : ` by ${result.rules.join(', ')}`;
  return {
    asked,
    decided: `${allowed ? (result.replayed ? 'replayed' : 'allow') : `deny ${result.code}${rules}`}, state ${result.state}`,
    done,
    why: result.text.split('\n')[0] ?? '',
  };
}
