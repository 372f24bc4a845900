/** Preloaded where nothing may reach out: starting a process or opening a connection ends the program with code 99. */

import childProcess from 'node:child_process';
import dgram from 'node:dgram';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';

const REFUSED = 99;

function refuse(what: string): () => never {
  return () => {
    process.stderr.write(`reached out: ${what}\n`);
    process.exit(REFUSED);
  };
}

for (const name of ['exec', 'execFile', 'execFileSync', 'execSync', 'fork', 'spawn', 'spawnSync'] as const) {
  Object.assign(childProcess, { [name]: refuse(name) });
}
Object.assign(net.Socket.prototype, { connect: refuse('connect') });
Object.assign(dgram, { createSocket: refuse('datagram') });
syncBuiltinESMExports();
