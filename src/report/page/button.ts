/** The button that verifies the page in the page: the bundle first, then that what is shown is what the bundle says. */

import { digestOfBytes, utf8, verifyBundleLater, webSignatureCheck } from '../../ledger/verify/page.ts';
import type { Subtle } from '../../ledger/verify/web-signature.ts';
import { type Evidence, bodyOf } from './body.ts';
import { type PageNode, WRONG, differencesIn } from './compare.ts';
import { embedded } from './embedded.ts';
import { count, counted, plain } from './say.ts';
import { storyOf } from './story.ts';
import type { Told } from './told.ts';

/** Findings that are listed; of further ones only the number is told. */
const FINDINGS_MAX = 20;

/** What is used of an element of the page. */
export interface PageElement extends PageNode {
  textContent: string | null;
  className: string;
  hidden: boolean;
  readonly title?: string;
  readonly classList: { add(name: string): void; remove(name: string): void };
  append(...content: (PageElement | string)[]): void;
  replaceChildren(): void;
  setAttribute(name: string, value: string): void;
  addEventListener(event: 'click', listener: () => void): void;
}

/** What is used of the document. */
export interface PageDocument {
  readonly title: string;
  getElementById(id: string): PageElement | null;
  getElementsByClassName(name: string): ArrayLike<PageElement>;
  createElement(tag: string): PageElement;
}

/** What a press of the button found. `unsure`: all that could be checked is right, and the signature could not be. */
export interface Outcome {
  readonly verdict: 'ok' | 'bad' | 'unsure';
  readonly summary: string;
  readonly findings: readonly Finding[];
}

export interface Finding {
  readonly text: string;
  /** The id of the element that it is about. */
  readonly place?: string;
}

/** What checks signatures; absent where the page has no WebCrypto. */
export interface Machine<Key> {
  readonly subtle: Subtle<Key> | undefined;
  /** Resolves in a later turn, so that the page is drawn meanwhile. */
  readonly pause: () => Promise<void>;
}

/** Shows the button and answers it. Without this script there is none. */
export function watch<Key>(page: PageDocument, machine: Machine<Key>): void {
  const [button, result] = [page.getElementById('verify'), page.getElementById('result')];
  if (button === null || result === null) return;
  button.hidden = false;
  button.addEventListener('click', () => {
    result.className = 'result';
    result.textContent = 'Checking…';
    void machine
      .pause()
      .then(() => verifyPage(page, machine.subtle))
      .catch((error: unknown) => broken(error))
      .then((outcome) => show(page, result, outcome));
  });
}

function broken(error: unknown): Outcome {
  return {
    verdict: 'bad',
    summary: 'The check itself failed: this page is damaged.',
    findings: [{ text: String(error) }],
  };
}

/** Verifies what the page holds and compares what it shows; marks what differs. */
export async function verifyPage<Key>(page: PageDocument, subtle: Subtle<Key> | undefined): Promise<Outcome> {
  for (const marked of Array.from(page.getElementsByClassName(WRONG))) marked.classList.remove(WRONG);
  const [bundleText, toldText] = ['bundle', 'told'].map((id) => page.getElementById(id)?.textContent ?? '');
  const findings: Finding[] = [];
  const bundle = readAgain(bundleText ?? '', 'the bundle', findings) as Evidence | undefined;
  const told = readAgain(toldText ?? '', 'what was told beside the bundle', findings) as Told | undefined;
  const signed = await bundleFindings(bundleText ?? '', subtle, findings);
  for (const { place = '' } of findings) page.getElementById(place)?.classList.add(WRONG);
  if (bundle !== undefined && told !== undefined) {
    findings.push(...contentFindings(bundle), ...shownFindings(page, bundle, told));
    if (told.log.verdict === 'bad') findings.push({ text: 'the log did not verify when this page was written' });
  }
  return { ...verdictOf(findings, signed, bundle), findings };
}

/** JSON that says anything else than what it is read as was changed: written again it must be the same text. */
function readAgain(text: string, what: string, findings: Finding[]): unknown {
  try {
    const value: unknown = JSON.parse(text);
    if (embedded(value) !== text) findings.push({ text: `${what} is not written as it was` });
    return value;
  } catch {
    findings.push({ text: `${what} cannot be read` });
    return undefined;
  }
}

/** Whether the signature could be checked, and the size and key that it is of. */
async function bundleFindings<Key>(
  text: string,
  subtle: Subtle<Key> | undefined,
  findings: Finding[],
): Promise<boolean> {
  const report = async (check: Parameters<typeof verifyBundleLater>[1]['checkSignature']): Promise<void> => {
    const { problems, omitted } = await verifyBundleLater(utf8(text), { checkSignature: check });
    for (const { entry, code, message } of problems) {
      findings.push({ text: `${message} [${code}]`, ...(entry === undefined ? {} : { place: `entry-${entry}` }) });
    }
    if (omitted > 0) findings.push({ text: `and ${counted(omitted, 'further problem')}` });
  };
  if (subtle !== undefined) {
    try {
      await report(webSignatureCheck(subtle));
      return true;
    } catch (error) {
      // Whatever the browser cannot do: what is left is checked without it, and the verdict says so.
      if (!(error instanceof Error)) throw error;
    }
  }
  await report(() => Promise.resolve(true));
  return false;
}

/** The texts that the page takes rules and budgets from have the digests that decisions name. */
function contentFindings({ entries }: Evidence): readonly Finding[] {
  return [...storyOf(entries).contents].flatMap(([digest, text]) =>
    digestOfBytes(utf8(text)) === digest ? [] : [{ text: `the text under ${plain(digest)} has another digest` }],
  );
}

function shownFindings(page: PageDocument, bundle: Evidence, told: Told): readonly Finding[] {
  const { title, ...body } = bodyOf(bundle, told);
  const findings: Finding[] = [];
  if (page.title !== title) findings.push({ text: 'the title of the page is not what it should be' });
  for (const part of [body.head, body.main, body.foot]) {
    const id = part.attributes['id'] ?? '';
    const element = page.getElementById(id);
    if (element === null) {
      findings.push({ text: `a part of the page is missing: ${id}` });
      continue;
    }
    for (const { at, place, expected, found } of differencesIn(part, element)) {
      at.classList.add(WRONG);
      findings.push({
        text: `\`${plain(found, 120)}\` stands where \`${plain(expected, 120)}\` should`,
        place,
      });
    }
  }
  return findings;
}

function verdictOf(
  findings: readonly Finding[],
  isSigned: boolean,
  bundle: Evidence | undefined,
): Omit<Outcome, 'findings'> {
  if (findings.length > 0 || bundle === undefined) {
    return { verdict: 'bad', summary: 'Not verified: this page is not what was recorded.' };
  }
  const [, size = ''] = bundle.checkpoint.split('\n');
  const entries = `${counted(bundle.entries.length, 'entry')} of the ${count(Number(size))} that the log signed`;
  if (!isSigned) {
    const summary = `Not complete: this browser cannot check Ed25519 signatures here. The page is what its ${entries} say, if the signature is right: interlock verify checks it.`;
    return { verdict: 'unsure', summary };
  }
  const summary = `Verified: all ${entries} are what was signed, and the page shows what they say. The key is the one on this page: compare it with the one you know.`;
  return { verdict: 'ok', summary };
}

function show(page: PageDocument, result: PageElement, { verdict, summary, findings }: Outcome): void {
  result.replaceChildren();
  result.className = `result ${verdict}`;
  const told = page.createElement('p');
  told.textContent = summary;
  result.append(told);
  if (findings.length === 0) return;
  const list = page.createElement('ul');
  for (const { text, place } of findings.slice(0, FINDINGS_MAX)) {
    const item = page.createElement('li');
    item.append(text);
    if (place !== undefined && page.getElementById(place) !== null) {
      const link = page.createElement('a');
      link.setAttribute('href', `#${place}`);
      link.textContent = 'where it is shown';
      item.append(' ', link);
    }
    list.append(item);
  }
  const left = findings.length - FINDINGS_MAX;
  if (left > 0) {
    const more = page.createElement('li');
    more.append(`and ${counted(left, 'further finding')}`);
    list.append(more);
  }
  result.append(list);
}
