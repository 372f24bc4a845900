/** The commands that go through a recorded log again: `replay`, `diff` and `learn`. */

import { CliError } from './exit.ts';
import { type Add, common, text } from './given.ts';
import type { Terminal } from './terminal.ts';

export function addAuditCommands(terminal: Terminal, add: Add): void {
  add('replay <session>', 'a recorded session, run or call again, without the world', async (given, [of = '']) => {
    const { replayCommand } = await import('./command/replay.ts');
    if (of === '') throw new CliError('usage', 'the id of the session is empty');
    const named = { ...text(given, 'policy', 'policy'), ...text(given, 'until', 'until') };
    const baseline = given['baseline'] as readonly string[] | undefined;
    return replayCommand(terminal, { ...common(given), ...named, ...(baseline === undefined ? {} : { baseline }), of });
  })
    .option('--baseline <sessions...>', 'tell how the session departs from these, or from the last N before it')
    .option('--policy <file>', 'decide under this policy instead, and tell where it would have gone otherwise')
    .option(
      '--until <step>',
      'stop after this step, counted from 1 (of a run: where it is entered, by its id), and show it whole',
    );
  add(
    'report [session]',
    'one page about a session, a call or the whole log, with its evidence',
    async (given, [of]) => {
      const { reportCommand } = await import('./command/report.ts');
      if (of === '') throw new CliError('usage', 'the id of the session is empty');
      const { out = '' } = text(given, 'out', 'out');
      return reportCommand(terminal, { ...common(given), ...(of === undefined ? {} : { of }), out });
    },
  ).requiredOption('-o, --out <file>', 'the file to write');
  add('diff <old> <new>', 'what a changed policy may allow more', async (given, [before = '', after = '']) => {
    const { diffCommand } = await import('./command/diff.ts');
    const [replay, offline] = [given['replay'] === true, given['offline'] === true];
    if (before === '' || after === '') throw new CliError('usage', 'the name of a file is empty');
    return diffCommand(terminal, { ...common(given), before, after, replay, offline });
  })
    .option('--replay', 'decide every recorded call under both, and tell what changes')
    .option('--offline', 'start no server');
  add('learn', 'the least policy that would have allowed what was recorded', async (given) => {
    const { learnCommand } = await import('./command/learn.ts');
    return learnCommand(terminal, { ...common(given), ...text(given, 'since', 'since') });
  }).option('--since <time>', 'only from calls from this RFC 3339 time on');
}
