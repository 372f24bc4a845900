/** What a page needs to verify a bundle by itself; `page-script` holds this, and all that it takes, as one script. */

export { parseVerifierKey } from '../../tlog/note.ts';
export { digestOfBytes } from '../../value/digest.ts';
export { utf8 } from '../../value/encoding.ts';
export { verifyBundleLater } from './later.ts';
export { webSignatureCheck } from './web-signature.ts';
