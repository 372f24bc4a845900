/** The version of the package, as it says itself. */

import { readFileSync } from 'node:fs';

/** Two levels up from `src/cli` and from `dist/cli` alike. */
const MANIFEST = new URL('../../package.json', import.meta.url);

export const VERSION: string = String((JSON.parse(readFileSync(MANIFEST, 'utf8')) as { version: unknown }).version);
