#!/usr/bin/env node
/** The `interlock` command: refuses a Node that is too old in one clear line, then starts the program. */

// Plain JavaScript that Node 12 already parses, so that an old Node reaches the check and prints the line
// instead of a syntax error.

import { existsSync } from 'fs';
import { fileURLToPath } from 'url';

/** Earlier ones have the WAL-reset bug, which can corrupt a database. */
const SQLITE_MIN = [3, 51, 3];

const versions = process.versions;

if (supports(numbers(versions.node), versions.sqlite)) {
  start();
} else {
  process.stderr.write(
    'interlock needs Node 22.23 or newer, or 24.21 or newer; this is v' +
      versions.node +
      '. Install it, or run: npx -p node@24 -p agent-interlock interlock\n',
  );
  process.exitCode = 2;
}

/** Lines 22 and 24 by their first release with a good SQLite, later ones by the SQLite inside. */
function supports(node, sqlite) {
  if (node[0] === 22) return node[1] >= 23;
  if (node[0] === 24) return node[1] >= 21;
  return node[0] > 24 && sqlite !== undefined && !isBefore(numbers(sqlite), SQLITE_MIN);
}

function start() {
  silenceExperimentalWarnings();
  // A packed package has no `src`: Node refuses to run `.ts` under `node_modules`.
  const source = new URL('../src/cli/main.ts', import.meta.url);
  const main = existsSync(fileURLToPath(source)) ? source : new URL('../dist/cli/main.js', import.meta.url);
  import(main.href).catch(function (error) {
    process.stderr.write('interlock: cannot start: ' + (error && error.stack ? error.stack : String(error)) + '\n');
    process.exitCode = 70;
  });
}

/** Node 22 calls type stripping and `node:sqlite` experimental; everything else it warns of is shown. */
function silenceExperimentalWarnings() {
  const emitWarning = process.emitWarning;
  process.emitWarning = function (warning, type) {
    const name = typeof type === 'object' && type !== null ? type.type : type;
    const text = typeof warning === 'string' ? warning : warning.message;
    if (name === 'ExperimentalWarning' && /^(Type Stripping|SQLite) is an experimental feature/.test(text)) return;
    emitWarning.apply(process, arguments);
  };
}

function numbers(version) {
  return version.split('.').map(function (part) {
    return parseInt(part, 10);
  });
}

function isBefore(left, right) {
  for (let at = 0; at < right.length; at += 1) {
    if (left[at] !== right[at]) return left[at] < right[at];
  }
  return false;
}
