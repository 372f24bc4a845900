/** Loaded with `--import`: refuses `node:vm` to every module, ours and the libraries'. */

import { registerHooks } from 'node:module';

registerHooks({
  resolve(specifier, context, nextResolve) {
    if (/^(node:)?vm$/.test(specifier)) throw new Error('`node:vm` is refused: nothing generates code');
    return nextResolve(specifier, context);
  },
});
