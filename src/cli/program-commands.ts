/** The commands about programs and their runs. */

import { type Add, common, text } from './given.ts';
import type { Terminal } from './terminal.ts';

export function addProgramCommands(terminal: Terminal, add: Add): void {
  const summary =
    'check: a program against the tools; graph: draw it; prove: its properties; plan: let a model draft one';
  add('program <action> <file>', summary, async (given, operands) => {
    const { programCommand } = await import('./command/program.ts');
    const [action = '', path = ''] = operands;
    const flags = { offline: given['offline'] === true, mermaid: given['mermaid'] === true };
    const drafted = { ...text(given, 'model', 'model'), ...text(given, 'out', 'out') };
    return programCommand(terminal, { ...common(given), ...flags, ...drafted, action, path });
  })
    .option('--offline', 'start no server: what its tools are is not known')
    .option('--mermaid', 'graph: the flowchart in the language of Mermaid')
    .option('--model <name>', 'plan: who drafts it, in place of a file stands what it is to do')
    .option('-o, --out <file>', 'plan: where the draft is written');
  add('run <file>', 'run a program until it is over, or waits for somebody', async (given, [path = '']) => {
    const { runCommand } = await import('./command/run.ts');
    const unproved = given['unproved'] === true;
    return runCommand(terminal, { ...common(given), ...text(given, 'input', 'input'), path, unproved });
  })
    .option('--input <json>', 'what the program is given (an empty object)')
    .option('--unproved', 'start although properties are not proved; recorded');
  add(
    'runs [action]',
    'the runs that are open; recover: go on with what a dead process left',
    async (given, [action]) => {
      if (given['health'] === true) {
        const { runsHealth } = await import('./runs-health.ts');
        const more = { ...text(given, 'program', 'program'), ...text(given, 'baseline', 'baseline') };
        return runsHealth(terminal, { ...common(given), ...more });
      }
      const { runsCommand } = await import('./command/runs.ts');
      const all = given['all'] === true;
      return runsCommand(terminal, { ...common(given), all, ...(action === undefined ? {} : { action }) });
    },
  )
    .option('--all', 'those that are over as well')
    .option('--health', 'figures of all recorded runs, and which are flagged')
    .option('--program <name>', 'with --health: only runs of this program')
    .option('--baseline <file>', 'with --health: compare with what an earlier --health --json wrote');
  add('signal <run> <event>', 'send an event to a run that waits for it', async (given, [run = '', event = '']) => {
    const { signalCommand } = await import('./command/run.ts');
    const more = { ...text(given, 'payload', 'payload'), ...text(given, 'id', 'id') };
    return signalCommand(terminal, { ...common(given), ...more, run, event });
  })
    .option('--payload <json>', 'what the event brings (an empty object)')
    .option('--id <id>', 'tells an event that comes twice');
  add('cancel <run>', 'cancel a run, and undo what it did', async (given, [run = '']) => {
    const { cancelCommand } = await import('./command/run.ts');
    return cancelCommand(terminal, { ...common(given), run });
  });
}
