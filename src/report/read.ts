/** Reads a report back, running nothing of it: the bundle inside, and whether the page is what comes of it. */

import { parseBundle } from '../ledger/bundle/format.ts';
import { utf8 } from '../value/encoding.ts';
import type { Told } from './page/told.ts';
import { reportPage } from './write.ts';

export interface ReadReport {
  /** The bundle as it stands in the page. */
  readonly bundle: Uint8Array;
  /** `other-version`: another version of this program wrote the page, and lays it out in its own way. */
  readonly page: 'same' | 'differs' | 'other-version';
  /** What the page says that a verification of the whole log had found. */
  readonly log: 'ok' | 'bad';
}

const DOCTYPE = '<!doctype html>';
const END = '</script>';

/** Nothing when `text` is no report. `version` is that of this program. */
export function readReport(text: string, version: string): ReadReport | undefined {
  if (!text.startsWith(DOCTYPE)) return undefined;
  const [told, bundle] = [blockOf(text, 'told'), blockOf(text, 'bundle')];
  if (told === undefined || bundle === undefined) return undefined;
  const bytes = utf8(bundle);
  const said = parsedTold(told);
  if (said === undefined) return { bundle: bytes, page: 'differs', log: 'bad' };
  const page = isMadeOf(text, bytes, said) ? 'same' : said.version === version ? 'differs' : 'other-version';
  return { bundle: bytes, page, log: said.log?.verdict === 'ok' ? 'ok' : 'bad' };
}

/** The data block `id`. What comes from a log cannot hold its tag: there every `<` is escaped. */
function blockOf(text: string, id: string): string | undefined {
  const tag = `<script type="application/json" id="${id}">`;
  const start = text.indexOf(tag);
  const end = text.indexOf(END, start);
  return start === -1 || end === -1 ? undefined : text.slice(start + tag.length, end);
}

function parsedTold(text: string): Partial<Told> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** What was told may be of any form; a page that cannot be made of it is none that we made. */
function isMadeOf(text: string, bundle: Uint8Array, told: Partial<Told>): boolean {
  const read = parseBundle(bundle);
  if (!read.ok) return false;
  try {
    return reportPage(read.bundle, told as Told) === text;
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) return false;
    throw error;
  }
}
