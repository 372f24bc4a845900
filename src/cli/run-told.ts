/** A run as the commands tell it to people. */

import { sayWait } from '../runtime/told.ts';
import type { RunView } from '../runtime/view.ts';
import { type Terminal, inert } from './terminal.ts';

/** The run in some lines: how it stands, its way, what it waits for or why it ended. */
export function runLines({ colour }: Terminal, view: RunView): readonly string[] {
  const { run, program, status, steps, waits, because, failure, output, notUndone = [] } = view;
  const shown =
    status === 'success'
      ? colour.green(status)
      : status === 'suspended'
        ? colour.yellow(status)
        : colour.red(inert(status));
  return [
    `run ${inert(run)} of ${inert(program)}: ${shown}`,
    `  steps  ${steps.map(inert).join(' → ')}`,
    ...waits.map(({ command, kind, of, expires }) => {
      const until = expires === undefined ? '' : ` until ${expires}`;
      return `  waits  ${inert(command)} for ${sayWait(kind, inert(of))}${until}`;
    }),
    ...(because === undefined ? [] : [`  because ${inert(because)}`]),
    ...(failure === undefined ? [] : [`  failed ${inert(JSON.stringify(failure))}`]),
    ...notUndone.map((step) => `  not undone ${inert(JSON.stringify(step))}`),
    ...(output === null ? [] : [`  output ${inert(JSON.stringify(output))}`]),
  ];
}
