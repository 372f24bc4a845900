/** The `interlock` command line: reads the arguments, runs one command, answers with its exit code. */

import { Command, CommanderError } from 'commander';
import { LedgerError } from '../ledger/ledger.ts';
import type { CommonOptions } from './configuration.ts';
import { CliError, EXIT, type ExitCode } from './exit.ts';
import { type Terminal, inert, writeLine } from './terminal.ts';
import { UNAVAILABLE } from './unavailable.ts';
import { VERSION } from './version.ts';

type Given = Record<string, unknown>;

function text(given: Given, name: string): string | undefined {
  const value = given[name];
  return typeof value === 'string' ? value : undefined;
}

function common(command: Command): CommonOptions & Given {
  const given: Given = command.optsWithGlobals();
  const config = text(given, 'config');
  const data = text(given, 'data');
  return {
    ...given,
    ...(config === undefined ? {} : { config }),
    ...(data === undefined ? {} : { data }),
    json: given['json'] === true,
  };
}

/** Adds the options every command takes; each command repeats them so that they may stand after its name. */
function withCommon(command: Command): Command {
  return command
    .option('-c, --config <file>', 'configuration file (default: interlock.yaml in this directory)')
    .option('--data <dir>', 'data directory (default: .interlock beside the configuration)')
    .option('--json', 'machine-readable output', false);
}

type Run = (options: CommonOptions & Given, operands: readonly string[]) => ExitCode | Promise<ExitCode>;

/** Builds the command line; `finish` gets the exit code of the command that ran. */
export function buildProgram(terminal: Terminal, finish: (code: ExitCode) => void): Command {
  const program = new Command('interlock')
    .description('The execution authority between AI agents and everything they can touch.')
    .version(VERSION)
    .exitOverride()
    .configureOutput({
      writeOut: (chunk) => terminal.output.write(chunk),
      writeErr: (chunk) => terminal.errors.write(chunk),
    })
    .showHelpAfterError('(interlock COMMAND --help says more)')
    .addHelpText('after', '\nExit codes: 0 ok, 1 looked and found it wrong, 2 bad argument, file or policy, 3 deny, 4 ask,\n7 the ledger cannot be opened or has stopped, 70 a bug.');

  const add = (usage: string, summary: string, run: Run): Command =>
    withCommon(program.command(usage))
      .description(summary)
      .action(async (...given: unknown[]) => {
        const command = given.at(-1) as Command;
        finish(await run(common(command), command.processedArgs.flat().filter((one) => typeof one === 'string')));
      });

  add('gateway', 'serve MCP on standard input and output, deciding and recording every call', async (options) => {
    const { gatewayCommand } = await import('./command/gateway.ts');
    return gatewayCommand(terminal, options);
  }).option('--http <host:port>', 'serve streamable HTTP (not available yet)');
  add('check', 'parse, type and lint the policy', async (options) => {
    const { checkCommand } = await import('./command/check.ts');
    return checkCommand(terminal, { ...options, offline: options['offline'] === true });
  }).option('--offline', 'start no server: unknown tools become warnings', false);
  add('decide', 'decide one call, recording nothing', async (options) => {
    const { decideCommand } = await import('./command/decide.ts');
    return decideCommand(terminal, { ...options, call: text(options, 'call') ?? '-', offline: options['offline'] === true });
  })
    .requiredOption('--call <file>', 'the call as JSON {tool, args, principal?, now?}; - is standard input')
    .option('--offline', 'start no server', false);
  add('eval <expression>', 'evaluate one condition (CEL)', async (options, [expression]) => {
    const { evalCommand } = await import('./command/eval.ts');
    const args = text(options, 'args');
    return evalCommand(terminal, expression ?? '', { json: options.json, ...(args === undefined ? {} : { args }) });
  }).option('--args <json>', 'the arguments the expression sees as `args`');
  add('canonical', 'canonical bytes (RFC 8785) of the JSON on standard input', async (options) => {
    const { canonicalCommand } = await import('./command/canonical.ts');
    return canonicalCommand(terminal, options);
  });
  addLedgerCommands(terminal, add);
  for (const [name, summary] of UNAVAILABLE) addUnavailable(program, terminal, name, summary, finish);
  return program;
}

type Add = (usage: string, summary: string, run: Run) => Command;

function addLedgerCommands(terminal: Terminal, add: Add): void {
  add('log', 'what was decided, attempted and answered', async (options) => {
    const { logCommand } = await import('./command/log.ts');
    const filter = Object.fromEntries(
      ['call', 'principal', 'tool', 'effect', 'since'].flatMap((name) => {
        const value = text(options, name);
        return value === undefined ? [] : [[name, value]];
      }),
    );
    return logCommand(terminal, { ...options, follow: options['follow'] === true, filter });
  })
    .option('--follow', 'go on as entries arrive', false)
    .option('--call <id>', 'only this call')
    .option('--principal <id>', 'only calls of this principal')
    .option('--tool <name>', 'only calls of this tool; * is any run of characters')
    .option('--effect <effect>', 'only allow, ask or deny')
    .option('--since <time>', 'only entries from this RFC 3339 time on');
  add('verify [path]', 'verify the ledger against its signatures', async (options, [path]) => {
    const { verifyCommand } = await import('./command/verify.ts');
    const key = text(options, 'key');
    const checkpoint = text(options, 'checkpoint');
    return verifyCommand(terminal, {
      ...options,
      deep: options['deep'] === true,
      ...(path === undefined ? {} : { path }),
      ...(key === undefined ? {} : { key }),
      ...(checkpoint === undefined ? {} : { checkpoint }),
    });
  })
    .option('--deep', 'also decide every call again (not available yet)', false)
    .option('--key <file>', 'the public key to trust, as a signed-note verifier key')
    .option('--checkpoint <file>', 'a checkpoint kept elsewhere that the log must extend');
  add('settle <call> <outcome>', 'say what happened to a call of unknown outcome', async (options, operands) => {
    const { settleCommand } = await import('./command/settle.ts');
    const output = text(options, 'output');
    return settleCommand(terminal, {
      ...options,
      call: operands[0] ?? '',
      outcome: operands[1] ?? '',
      reason: text(options, 'reason') ?? '',
      ...(output === undefined ? {} : { output }),
    });
  })
    .requiredOption('--reason <text>', 'why; recorded')
    .option('--output <file>', 'what the call returned, as JSON; - is standard input');
}

function addUnavailable(
  program: Command,
  terminal: Terminal,
  name: string,
  summary: string,
  finish: (code: ExitCode) => void,
): void {
  program
    .command(name)
    .description(`${summary} (not available yet)`)
    .allowUnknownOption()
    .allowExcessArguments()
    .argument('[operands...]')
    .action(() => {
      writeLine(terminal.errors, `interlock: \`${name}\` is not available yet`);
      finish(EXIT.usage);
    });
}

/** Runs one command line and resolves with its exit code; what it throws is a bug, and says so. */
export async function runCommandLine(terminal: Terminal, argv: readonly string[]): Promise<ExitCode> {
  let code: ExitCode = EXIT.ok;
  try {
    const program = buildProgram(terminal, (finished) => {
      code = finished;
    });
    await program.parseAsync(argv, { from: 'user' });
    return code;
  } catch (error) {
    return report(terminal, error);
  }
}

function report(terminal: Terminal, error: unknown): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (error instanceof CliError) {
    writeLine(terminal.errors, `interlock: ${inert(error.message)}`);
    if (error.hint !== undefined) writeLine(terminal.errors, `  hint: ${inert(error.hint)}`);
    return EXIT.usage;
  }
  if (error instanceof LedgerError) {
    writeLine(terminal.errors, `interlock: ledger ${error.code}: ${inert(error.message)}`);
    return EXIT.ledger;
  }
  const shown = error instanceof Error ? (error.stack ?? error.message) : String(error);
  writeLine(terminal.errors, `interlock: this is a bug, please report it\n${shown}`);
  return EXIT.bug;
}
