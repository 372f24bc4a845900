/** A run as the commands tell it: lines for people, one object for programs. */

import type { RunView } from '../runtime/view.ts';
import { type Terminal, inert } from './terminal.ts';

/** What `--json` says. `receipt` stands for the evidence: the run's digests and where `interlock receipt` finds the rest. */
export function toldRun(view: RunView): Record<string, unknown> {
  const { run, status, output, steps, digest, program, spent, failure, because, notUndone, waits, unproved } = view;
  return {
    run,
    status,
    output,
    steps,
    receipt: {
      run,
      program,
      digest,
      version: view.version,
      principal: view.principal,
      started: view.started,
      moved: view.moved,
      snapshot: view.snapshot,
      ...(spent === undefined ? {} : { spent }),
      ...(unproved === undefined ? {} : { unproved }),
    },
    ...(because === undefined ? {} : { because }),
    ...(failure === undefined ? {} : { failure }),
    ...(notUndone === undefined ? {} : { notUndone }),
    ...(waits.length === 0 ? {} : { waits }),
  };
}

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

function sayWait(kind: RunView['waits'][number]['kind'], of: string): string {
  switch (kind) {
    case 'event':
      return `the event ${of}`;
    case 'approval':
      return `the approval of call ${of}`;
    case 'settlement':
      return `call ${of}, whose outcome is unknown, to be settled`;
    case 'run':
      return `run ${of}`;
  }
}
