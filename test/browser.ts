/** The browser of this machine, for tests of pages; where there is none they skip and say so. */

import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Browser, BrowserContext, BrowserContextOptions } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

/** Where a Node refuses to generate code it refuses the driver of the browser, too. */
const isStrict = process.execArgv.includes('--disallow-code-generation-from-strings');

/** The first browser of these names on the path. */
const BROWSER: string | undefined = (process.env['PATH'] ?? '')
  .split(delimiter)
  .flatMap((folder) => NAMES.map((name) => join(folder, name)))
  .find(isExecutable);

/** For the options of a test. */
export const NO_BROWSER: string | false = isStrict
  ? 'the driver of the browser needs node:vm'
  : BROWSER === undefined && `none of ${NAMES.join(', ')} is on the path`;

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** A browser for one file of tests; the sandbox of the browser needs rights that containers do not give. */
export class TestBrowser implements AsyncDisposable {
  #browser: Promise<Browser> | undefined;

  async context(options: BrowserContextOptions = {}): Promise<BrowserContext> {
    this.#browser ??= launch();
    return (await this.#browser).newContext(options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.#browser)?.close();
  }
}

async function launch(): Promise<Browser> {
  const { chromium } = await import('playwright-core');
  return chromium.launch({ executablePath: BROWSER ?? '', args: ['--no-sandbox'] });
}
