/** The browser of this machine, for tests of pages; where there is none they skip and say so. */

import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

/** The first browser of these names on the path. */
export const BROWSER: string | undefined = (process.env['PATH'] ?? '')
  .split(delimiter)
  .flatMap((folder) => NAMES.map((name) => join(folder, name)))
  .find(isExecutable);

/** For the options of a test. */
export const NO_BROWSER: string | false = BROWSER === undefined && `none of ${NAMES.join(', ')} is on the path`;

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
    this.#browser ??= chromium.launch({ executablePath: BROWSER ?? '', args: ['--no-sandbox'] });
    return (await this.#browser).newContext(options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.#browser)?.close();
  }
}
