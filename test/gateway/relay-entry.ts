/** The gateway as a program: serves the server whose command line it is given, under a door that allows everything. */

import { openGateway } from '../../src/gateway/gateway.ts';
import { systemWorld } from '../../src/world/system.ts';
import { AllowAll, ROOT, server } from './harness.ts';

const gateway = openGateway({
  servers: new Map([['it', server('it', process.argv.slice(2))]]),
  directory: ROOT,
  environment: process.env,
  door: new AllowAll(),
  input: process.stdin,
  output: process.stdout,
  world: systemWorld,
  version: '0.0.0',
  log: (line) => void process.stderr.write(`${line}\n`),
});
await gateway.ended;
