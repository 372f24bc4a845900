/** JSON as it stands inside of a page: nothing in it can end the element that holds it. Pure. */

/** The one text for `value`: written again, what was read gives the same bytes. */
export function embedded(value: unknown): string {
  return JSON.stringify(value).replaceAll('<', String.raw`\u003c`);
}
