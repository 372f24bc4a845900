/** The one way out in the shape that libraries expect of `fetch`, for those that speak HTTP by themselves. */

import { guardedFetch } from './fetch.ts';
import type { NetAnswer, NetOptions } from './fetch.ts';

export interface WebFetch {
  readonly request: typeof fetch;
  /** How the last request ended; nothing while none was made. What a library makes of it in an error says less. */
  readonly last: () => NetAnswer | undefined;
}

/**
 * `guardedFetch` for requests to URLs below `base`, bodies of text only; it rejects where no answer came. A status that
 * is an error is an answer. `options` are asked for at each request.
 */
export function webFetch(base: string, options: () => NetOptions): WebFetch {
  let answer: NetAnswer | undefined;
  const request: typeof fetch = async (input, init = {}) => {
    const url = input instanceof Request ? input.url : String(input);
    const { method = 'GET', body = null } = init;
    if (!url.startsWith(base))
      throw new Error(`a library asked for \`${url.slice(0, 200)}\`, which is not below its base`);
    if (method !== 'GET' && method !== 'POST') throw new Error(`a library asked with ${method}, expected GET or POST`);
    if (body !== null && typeof body !== 'string') throw new Error('a library sent a body that is no text');
    const headers = Object.fromEntries(new Headers(init.headers));
    const sent = body === null ? {} : { body: new TextEncoder().encode(body) };
    answer = await guardedFetch({ method, url, headers, ...sent }, options());
    if (!answer.ok) throw new Error(answer.reason);
    // A null body is what these statuses have; the constructor refuses any other.
    const isEmpty = answer.status === 204 || answer.status === 205 || answer.status === 304;
    return new Response(isEmpty ? null : answer.body.slice(), { status: answer.status, headers: [...answer.headers] });
  };
  return { request, last: () => answer };
}
