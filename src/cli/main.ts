/** Where `bin/interlock.js` enters: runs the command line of this process. */

import { Console } from 'node:console';
import { writeSync } from 'node:fs';
import { runCommandLine } from './command-line.ts';
import { EXIT } from './exit.ts';
import { systemTerminal } from './terminal.ts';

const STDERR = 2;

// Standard output holds answers alone; what is preloaded into this process, such as an exporter of telemetry, does not
// know that.
Object.assign(console, new Console(process.stderr));
// Nobody is left to be told.
process.stderr.on('error', () => {});
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // Who closes a pipe early has read what was wanted; an answer that was lost in another way was not given.
  if (error.code === 'EPIPE') return;
  process.once('exit', () => {
    process.exitCode = EXIT.usage;
    writeSync(STDERR, `interlock: the answer cannot be written (${error.code ?? error.message})\n`);
  });
});

process.exitCode = await runCommandLine(systemTerminal(), process.argv.slice(2));
