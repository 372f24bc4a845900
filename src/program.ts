/** Programs, for those that write them in TypeScript, check them or move them by themselves. */

export { cel, defineProgram, expr } from './program/builder.ts';
export type { Catalog, CatalogTool } from './program/catalog.ts';
export { compileProgram } from './program/compile.ts';
export type { ProgramDocument } from './program/document-type.ts';
export { linesOf, mermaidOf } from './program/draw.ts';
export type { Command, CommandId, RunEvent } from './program/event.ts';
export type { ProgramInput, StepOutput } from './program/output-type.ts';
export type { Program } from './program/program.ts';
export type { RunState } from './program/state.ts';
export { begin, isOver, transition } from './program/transition.ts';
export type { Moved } from './program/transition.ts';
export type { Issue, Parsed } from './value/issue.ts';
