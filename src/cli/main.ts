/** Where `bin/interlock.js` enters: runs the command line of this process. */

import { runCommandLine } from './command-line.ts';
import { systemTerminal } from './terminal.ts';

process.exitCode = await runCommandLine(systemTerminal(), process.argv.slice(2));
