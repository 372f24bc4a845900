/** Rates by the generic cell rate algorithm: one time-stamp tells how much of a burst is left. */

/**
 * The theoretical arrival time after one more call at `nowUs`, or nothing when it comes too early. All times are whole
 * microseconds since the epoch; `tat` is the last answer, 0 when there was none.
 *
 * Law: of the calls allowed between any two moments `t` apart, there are at most `burst + floor(t / intervalUs)`. A
 * clock that went back only makes calls wait.
 */
export function arrivalOf(
  { burst, intervalUs }: { readonly burst: number; readonly intervalUs: number },
  tat: number,
  nowUs: number,
): number | undefined {
  const now = Math.max(0, nowUs);
  const start = Math.max(tat, now);
  const next = start + intervalUs;
  const early = start - now > (burst - 1) * intervalUs;
  // Beyond 2^53 microseconds (the year 2255) time-stamps would no longer be exact.
  return early || !Number.isSafeInteger(next) ? undefined : next;
}
