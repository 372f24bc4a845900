/** Loaded before a program (`--import`): says on file descriptor 3, when it ends, how much memory it had at most, bytes. */

import { writeSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

if (isMainThread) process.on('exit', () => writeSync(3, String(process.resourceUsage().maxRSS * 1_024)));
