/** A run as one JSON object: what `--json` prints, and what a host is answered. */

import type { JsonObject } from '../value/json.ts';
import type { RunView } from './view.ts';

/** `receipt` stands for the evidence: the run's digests and where `interlock receipt` finds the rest. */
export function toldRun(view: RunView): JsonObject {
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
    ...(waits.length === 0 ? {} : { waits: waits.map((wait) => ({ ...wait })) }),
  };
}

/** What a run waits for, in words. `of` is shown as it is given. */
export function sayWait(kind: RunView['waits'][number]['kind'], of: string): string {
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
