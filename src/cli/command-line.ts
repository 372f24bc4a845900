/** The `interlock` command line: reads the arguments, runs one command, answers with its exit code. */

import { Command } from 'commander';
import { addAuditCommands } from './audit-commands.ts';
import type { KillOptions } from './command/kill.ts';
import type { CommonOptions } from './configuration.ts';
import { addEvidenceCommands } from './evidence-commands.ts';
import { CliError, EXIT, type ExitCode } from './exit.ts';
import { addProgramCommands } from './program-commands.ts';
import { type Add, type Given, common, givenTo, text, withCommon } from './given.ts';
import { refuse } from './refusal.ts';
import type { StandingOptions } from './standing.ts';
import type { NamedSubject } from './subject.ts';
import type { Terminal } from './terminal.ts';
import { UNAVAILABLE } from './unavailable.ts';
import { VERSION } from './version.ts';

const EXIT_CODES = `
Exit codes: 0 ok, 1 looked and found it wrong, 2 bad argument, file, policy or program, 3 deny, 4 ask,
5 a run that ended without success, 6 a run that waits, 7 the ledger cannot be opened or has stopped, 70 a bug.`;

/** Builds the command line; `finish` gets the exit code of the command that ran. */
function buildProgram(terminal: Terminal, finish: (code: ExitCode) => void): Command {
  const program = withCommon(new Command('interlock'))
    .description('The execution authority between AI agents and everything they can touch.')
    .version(VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (chunk) => terminal.output.write(chunk),
      writeErr: (chunk) => terminal.errors.write(chunk),
      // Told by `report`, in our words and harmless.
      outputError: () => {},
    })
    .addHelpText('afterAll', EXIT_CODES);
  const add: Add = (usage, summary, run) =>
    withCommon(program.command(usage))
      .description(summary)
      .action(async (...given: unknown[]) => {
        const command = given.at(-1) as Command;
        finish(await run(givenTo(command), command.args));
      });
  addPolicyCommands(terminal, add);
  addLedgerCommands(terminal, add);
  addEvidenceCommands(terminal, add);
  addApprovalCommands(terminal, add);
  addKillCommands(terminal, add);
  addRecoverCommand(terminal, add);
  addAuditCommands(terminal, add);
  addVaultCommands(terminal, add);
  addProgramCommands(terminal, add);
  for (const [name, summary] of UNAVAILABLE) addUnavailable(program, name, summary);
  return program;
}

function addPolicyCommands(terminal: Terminal, add: Add): void {
  add('gateway', 'serve MCP on standard input and output, deciding and recording every call', async (given) => {
    const { gatewayCommand } = await import('./command/gateway.ts');
    return gatewayCommand(terminal, { ...common(given), http: given['http'] });
  }).option('--http <host:port>', 'serve streamable HTTP (not available yet)');
  add('check', 'parse, type and lint the policy', async (given) => {
    const { checkCommand } = await import('./command/check.ts');
    return checkCommand(terminal, { ...common(given), offline: given['offline'] === true });
  }).option('--offline', 'start no server: unknown tools become warnings');
  add('decide', 'decide one call, recording nothing', async (given) => {
    const { decideCommand } = await import('./command/decide.ts');
    const { call = '-' } = text(given, 'call', 'call');
    return decideCommand(terminal, { ...common(given), call, offline: given['offline'] === true });
  })
    .requiredOption('--call <file>', 'the call as JSON {tool, args, principal?, now?}; - is standard input')
    .option('--offline', 'start no server');
  add('explain', 'every rule and clause for one call, recording nothing', async (given) => {
    const { explainCommand } = await import('./command/explain.ts');
    const { call = '-' } = text(given, 'call', 'call');
    return explainCommand(terminal, { ...common(given), call, offline: given['offline'] === true });
  })
    .requiredOption('--call <file>', 'the call as JSON {tool, args, principal?, now?}; - is standard input')
    .option('--offline', 'start no server');
  add('init [command...]', 'write a first policy from what the servers offer, and pin them', async (given, command) => {
    const { initCommand } = await import('./command/init.ts');
    const [servers, packages] = [given['server'] ?? [], given['package'] ?? []] as [string[], string[]];
    return initCommand(terminal, { ...common(given), servers, packages, command });
  })
    .usage('[options] [-- COMMAND ARGS...]')
    .option('--server <id=command>', 'a server and the command that starts it; may be given again', collect)
    .option(
      '--package <id=name@version>',
      'a server in an npm package, arguments after it; may be given again',
      collect,
    );
  add('pin [target]', 'pin the definitions of tools, or show what changed in them', async (given, [target]) => {
    const { pinCommand } = await import('./command/pin.ts');
    if (target === '') throw new CliError('usage', 'the name of a server or tool is empty');
    const [diff, accept] = [given['diff'] === true, given['accept'] === true];
    return pinCommand(terminal, { ...common(given), ...(target === undefined ? {} : { target }), diff, accept });
  })
    .option('--diff', 'show what changed, and write nothing')
    .option('--accept', 'pin what changed as well');
  add('test [file...]', 'run the cases beside the policy', async (given, files) => {
    const { testCommand } = await import('./command/test.ts');
    if (files.includes('')) throw new CliError('usage', 'the name of a file is empty');
    const options = { ...common(given), ...text(given, 'coverage', 'coverage'), offline: given['offline'] === true };
    return testCommand(terminal, { ...options, files });
  })
    .option('--coverage <percent>', 'exit 1 when less of the rules and clauses is exercised')
    .option('--offline', 'start no server');
  add('eval <expression>', 'evaluate one condition (CEL)', async (given, [expression = '']) => {
    const { evalCommand } = await import('./command/eval.ts');
    return evalCommand(terminal, expression, { ...common(given), ...text(given, 'args', 'args') });
  }).option('--args <json>', 'the arguments the expression sees as `args`');
  add('canonical', 'canonical bytes (RFC 8785) of the JSON on standard input', async (given) => {
    const { canonicalCommand } = await import('./command/canonical.ts');
    return canonicalCommand(terminal, common(given));
  });
}

function addLedgerCommands(terminal: Terminal, add: Add): void {
  add('log', 'what was decided, attempted and answered', async (given) => {
    const { logCommand } = await import('./command/log.ts');
    const filter = {
      ...text(given, 'call', 'call'),
      ...text(given, 'principal', 'principal'),
      ...text(given, 'tool', 'tool'),
      ...text(given, 'effect', 'effect'),
      ...text(given, 'since', 'since'),
    };
    return logCommand(terminal, { ...common(given), follow: given['follow'] === true, filter });
  })
    .option('--follow', 'go on as entries arrive')
    .option('--call <id>', 'only this call, by its id or by its last 8 characters or more')
    .option('--principal <id>', 'only calls of this principal')
    .option('--tool <name>', 'only calls of this tool; * is any run of characters')
    .option('--effect <effect>', 'only calls decided allow, ask or deny')
    .option('--since <time>', 'only entries from this RFC 3339 time on');
  add('verify [path]', 'verify the ledger against its signatures', async (given, [path]) => {
    const { verifyCommand } = await import('./command/verify.ts');
    if (path === '') throw new CliError('usage', 'the path is empty');
    return verifyCommand(terminal, {
      ...common(given),
      ...text(given, 'key', 'key'),
      ...text(given, 'checkpoint', 'checkpoint'),
      ...(path === undefined ? {} : { path }),
      deep: given['deep'] === true,
    });
  })
    .option('--deep', 'also decide every call again, fold every entry, and compare the tables')
    .option('--key <file>', 'the public key to trust, as a signed-note verifier key')
    .option('--checkpoint <file>', 'a checkpoint kept elsewhere that the log must extend');
  add('settle <call> <outcome>', 'say what happened to a call of unknown outcome', async (given, operands) => {
    const { settleCommand } = await import('./command/settle.ts');
    const [call = '', outcome = ''] = operands;
    const { reason = '' } = text(given, 'reason', 'reason');
    return settleCommand(terminal, { ...common(given), ...text(given, 'output', 'output'), call, outcome, reason });
  })
    .requiredOption('--reason <text>', 'why; recorded')
    .option('--output <file>', 'what the call returned, as JSON; - is standard input');
}

function addApprovalCommands(terminal: Terminal, add: Add): void {
  add('approvals', 'calls that wait for an approval', async (given) => {
    const { approvalsCommand } = await import('./command/approvals.ts');
    return approvalsCommand(terminal, common(given));
  });
  add('approve <call>', 'approve a call that waits, with your signature', async (given, [call = '']) => {
    const { approveCommand } = await import('./command/approve.ts');
    const named = { ...text(given, 'as', 'as'), ...text(given, 'key', 'key'), ...passphrase(given) };
    return approveCommand(terminal, { ...common(given), ...named, ...standing(given), call });
  })
    .option('--as <id>', 'the approver, an id of `principals:` with a key')
    .option('--key <file>', "the approver's private key (default: in the user's configuration directory)")
    .option('--passphrase-file <file>', 'holds the passphrase of the key; - is standard input')
    .option('--standing <scope>', 'also derive a rule not to ask again: for this call, recipient or tool')
    .option('--for <duration>', 'how long the standing rule lasts, such as 30d')
    .option('--by <argument>', 'names the recipient; may be given more than once', collect)
    .option('--write', 'change the configuration file; else the change is only shown');
  add('refuse <call>', 'refuse a call that waits', async (given, [call = '']) => {
    const { refuseCommand } = await import('./command/refuse.ts');
    const { reason = '' } = text(given, 'reason', 'reason');
    return refuseCommand(terminal, { ...common(given), ...text(given, 'as', 'as'), call, reason });
  })
    .requiredOption('--reason <text>', 'why; recorded')
    .option('--as <id>', 'who refuses, recorded as a claim (default: the user of this system)');
  add('breakglass <rules...>', 'set rules aside for a while, with your signature', async (given, rules) => {
    const { breakGlassCommand } = await import('./command/breakglass.ts');
    const { reason = '' } = text(given, 'reason', 'reason');
    const { expires = '' } = text(given, 'expires', 'expires');
    const named = { ...text(given, 'as', 'as'), ...text(given, 'key', 'key'), ...passphrase(given) };
    return breakGlassCommand(terminal, { ...common(given), ...named, rules, reason, expires });
  })
    .requiredOption('--expires <duration>', 'how long, like 30m; at most seven days')
    .requiredOption('--reason <text>', 'why; recorded')
    .option('--as <id>', 'the approver, an id of `principals:` with a key')
    .option('--key <file>', "the approver's private key (default: in the user's configuration directory)")
    .option('--passphrase-file <file>', 'holds the passphrase of the key; - is standard input');
  add('approver <action> <id>', 'add: make the key of an approver', async (given, [action = '', id = '']) => {
    const { approverCommand } = await import('./command/approver.ts');
    const { json } = common(given);
    return approverCommand(terminal, { json, ...text(given, 'out', 'out'), ...passphrase(given), action, id });
  })
    .option('--out <file>', "where the private key goes (default: in the user's configuration directory)")
    .option('--passphrase-file <file>', 'holds the passphrase of the new key; - is standard input');
}

function standing(given: Given): StandingOptions {
  const { by, write } = given;
  const named = Array.isArray(by) ? by.map(String) : [];
  return { ...text(given, 'standing', 'standing'), ...text(given, 'for', 'for'), by: named, write: write === true };
}

function passphrase(given: Given): { readonly passphraseFile?: string } {
  const file = given['passphraseFile'];
  if (file === '') throw new CliError('usage', '`--passphrase-file` is empty');
  return typeof file === 'string' ? { passphraseFile: file } : {};
}

/** The values of an option that may be given more than once. */
function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

function killOptions(given: Given, target: string): KillOptions {
  const { reason = '' } = text(given, 'reason', 'reason');
  return { ...common(given), target, reason };
}

function addKillCommands(terminal: Terminal, add: Add): void {
  add('kill <target>', 'stop all, principal:ID, server:NAME or tool:NAME at once', async (given, [target = '']) => {
    const { killCommand } = await import('./command/kill.ts');
    return killCommand(terminal, killOptions(given, target));
  }).requiredOption('--reason <text>', 'why; recorded');
  add('revive <target>', 'lift a kill', async (given, [target = '']) => {
    const { reviveCommand } = await import('./command/kill.ts');
    return reviveCommand(terminal, killOptions(given, target));
  }).requiredOption('--reason <text>', 'why; recorded');
}

function addRecoverCommand(terminal: Terminal, add: Add): void {
  add('recover', 'go on after a restored backup or a jump of the clock', async (given) => {
    const { recoverCommand } = await import('./command/recover.ts');
    const { reason = '' } = text(given, 'reason', 'reason');
    const { acceptClock, acceptRollback, lift } = given;
    const asked = { acceptClock: acceptClock === true, acceptRollback: acceptRollback === true, lift: lift === true };
    return recoverCommand(terminal, { ...common(given), asked, reason });
  })
    .requiredOption('--reason <text>', 'why; recorded')
    .option('--accept-clock', 'the wall clock is right as it is')
    .option('--accept-rollback', 'go on with a log that is older than its checkpoint outside')
    .option('--lift', 'decide calls with effects by their rules again');
}

function named(given: Given, subject: string | undefined): CommonOptions & NamedSubject & { readonly reason: string } {
  const { reason = '' } = text(given, 'reason', 'reason');
  return { ...common(given), ...text(given, 'value', 'value'), ...(subject === undefined ? {} : { subject }), reason };
}

function addVaultCommands(terminal: Terminal, add: Add): void {
  add('erase [subject]', 'erase what is kept of a person, and print a receipt', async (given, [subject]) => {
    const { eraseCommand } = await import('./command/erase.ts');
    return eraseCommand(terminal, named(given, subject));
  })
    .requiredOption('--reason <text>', 'why; recorded')
    .option('--value <value>', 'whoever this e-mail address, phone number or IBAN is of');
  add('subjects [subject]', 'whose data is kept, and how much', async (given, [subject]) => {
    const { subjectsCommand } = await import('./command/subjects.ts');
    return subjectsCommand(terminal, named(given, subject));
  }).option('--value <value>', 'only whoever this e-mail address, phone number or IBAN is of');
  add('hold <action> [subject]', 'add or lift: what may not be erased', async (given, [action = '', subject]) => {
    const { holdCommand } = await import('./command/hold.ts');
    return holdCommand(terminal, { ...named(given, subject), action });
  })
    .requiredOption('--reason <text>', 'why; recorded')
    .option('--value <value>', 'whoever this e-mail address, phone number or IBAN is of');
  add('disclose <call> [pointers...]', 'hand out sealed values with their proofs', async (given, operands) => {
    const { discloseCommand } = await import('./command/disclose.ts');
    const [call = '', ...pointers] = operands;
    const { to = '' } = text(given, 'to', 'to');
    return discloseCommand(terminal, { ...named(given, undefined), call, pointers, to });
  })
    .requiredOption('--to <text>', 'who gets them; recorded')
    .requiredOption('--reason <text>', 'why; recorded');
  add(
    'key <action> [key]',
    'add, list, revoke: what signs the log; rotate: what wraps all that is sealed',
    async (given, [action = '', key]) => {
      const { keyCommand } = await import('./command/key.ts');
      if (key === '') throw new CliError('usage', 'the key is empty');
      const named = { ...(key === undefined ? {} : { key }), ...text(given, 'reason', 'reason') };
      return keyCommand(terminal, { ...common(given), ...named, action });
    },
  ).option('--reason <text>', 'why a key is added or revoked; recorded');
}

function addUnavailable(program: Command, name: string, summary: string): void {
  program
    .command(name)
    .helpGroup('Not available yet:')
    .summary(summary)
    .description(`${summary} (not available yet)`)
    .allowUnknownOption()
    .allowExcessArguments()
    .action(() => {
      throw new CliError('not-available-yet', `\`${name}\` is not available yet`);
    });
}

/** Runs one command line and resolves with its exit code; what it throws is a bug, and says so. */
export async function runCommandLine(terminal: Terminal, argv: readonly string[]): Promise<ExitCode> {
  let code: ExitCode = EXIT.ok;
  const program = buildProgram(terminal, (finished) => {
    code = finished;
  });
  try {
    await program.parseAsync(argv, { from: 'user' });
    return code;
  } catch (error) {
    const names = new Set(program.commands.map((command) => command.name()));
    return refuse(
      terminal,
      error,
      argv.find((one) => names.has(one)),
    );
  }
}
