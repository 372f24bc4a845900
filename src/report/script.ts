/** The only script of the page. */

import { PAGE_SCRIPT as VERIFIER } from '../ledger/verify/page-script.ts';
import { PAGE_SCRIPT as REPORT } from './page-script.ts';

/** What is left to the page itself: its document, its WebCrypto, and a turn in which it can draw. */
export const SCRIPT: string = `'use strict';
{
const ledgerVerifyPage = ${VERIFIER};
const report = ${REPORT};
const pause = () => new Promise((done) => setTimeout(done, 20));
// Where a style cannot open folds for paper.
if (!CSS.supports('selector(::details-content)')) {
  let closed = [];
  addEventListener('beforeprint', () => {
    closed = [...document.querySelectorAll('details:not([open])')];
    for (const fold of closed) fold.open = true;
  });
  addEventListener('afterprint', () => {
    for (const fold of closed) fold.open = false;
  });
}
report.watch(document, { subtle: globalThis.crypto?.subtle, pause });
}
`;
