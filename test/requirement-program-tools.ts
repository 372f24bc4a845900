/** What the documentation promises of programs over MCP. */

import type { Requirement } from './requirement.ts';

export const PROGRAM_TOOL_REQUIREMENTS: readonly Requirement[] = [
  {
    id: 'R-program-tools',
    text: 'a host runs, resumes and cancels its own runs of programs, which go on after a gateway ended or was killed',
    where: ['docs/programs.md', 'docs/gateway.md'],
  },
  {
    id: 'R-program-tools-denied',
    text: 'tools for programs are denied and not listed until a rule allows them, and are not there for programs',
    where: ['docs/programs.md', 'docs/policy.md'],
  },
  {
    id: 'R-program-own',
    text: 'a principal sees, moves and deletes nothing of what another has run or saved',
    where: ['docs/programs.md'],
  },
  {
    id: 'R-program-files',
    text: 'a missing or bad file of a program is told at the place of the configuration that names it',
    where: ['docs/programs.md'],
  },
  {
    id: 'R-program-as-tool',
    text: 'a program with `as: tool` is a tool with its input as arguments, and runs keep the text they started with',
    where: ['docs/programs.md'],
  },
];
