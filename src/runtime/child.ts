/** The ids of runs that must be found again by whoever starts them once more, and the run that a step `call` starts. */

import { sha256 } from '../value/digest.ts';
import { toHex, utf8 } from '../value/encoding.ts';
import type { Command } from '../program/event.ts';
import type { LoadedRun } from './load.ts';
import type { Starting } from './start.ts';

type Child = Extract<Command, { readonly kind: 'child' }>;

/** It may do what its caller may, and is frozen with it. */
export function childRun({ started, linked, capability }: LoadedRun, { id, program, input }: Child): Starting {
  const called = linked.children.get(program);
  // The program was linked: every program that it calls is there.
  if (called === undefined) throw new Error(`program ${started.name} calls no ${program}`);
  return {
    id: runIdOf(started.id, id),
    principal: started.principal,
    linked: { program: called, children: linked.children },
    input,
    above: { parent: { run: started.id, command: id }, depth: started.depth + 1, capability },
  };
}

/** A UUIDv8 (RFC 9562, section 5.8) of what starts a run, and of what tells that apart from all else that it starts. */
export function runIdOf(starter: string, key: string): string {
  const bytes = sha256(utf8(JSON.stringify([starter, key]))).slice(0, 16);
  bytes[6] = 0x80 | ((bytes[6] ?? 0) & 0x0f);
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
  const hex = toHex(bytes);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
