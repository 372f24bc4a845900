/** Verifies a bundle: that its entries are in the tree which the key signed. Needs nothing but the bundle and a key. */

import { parseSignedCheckpoint } from '../../tlog/checkpoint.ts';
import type { Checkpoint } from '../../tlog/checkpoint.ts';
import { formatVerifierKey, parseVerifierKey } from '../../tlog/note.ts';
import type { SignedNote } from '../../tlog/note.ts';
import { verifyInclusion } from '../../tlog/proof.ts';
import { leafHash } from '../../tlog/tree.ts';
import { equalBytes } from '../../value/digest.ts';
import { toBase64, utf8 } from '../../value/encoding.ts';
import type { JsonObject } from '../../value/json.ts';
import { parseBundle } from '../bundle/format.ts';
import type { Bundle, BundleDisclosure, BundleEntry } from '../bundle/format.ts';
import { authorFault } from './author.ts';
import { collectCosignatures } from './cosignatures.ts';
import type { Cosignatures } from './cosignatures.ts';
import { openDisclosure } from './disclosure.ts';
import type { Disclosed } from './disclosure.ts';
import { checkLeaf, shown } from './leaf.ts';
import type { Envelope } from './leaf.ts';
import { PROBLEMS_MAX } from './report.ts';
import type { Problem, ProblemCode, VerifyReport } from './report.ts';
import { signatureFault, signersOf, tellSigners } from './signers.ts';
import type { Signers } from './signers.ts';
import type { VerifyOptions } from './verify.ts';

/** In the text of an entry that adds or revokes a key; others may hold it too, in their arguments. */
const KEY_TYPE = /"type":"key\.(?:added|revoked)"/;

interface Run {
  readonly options: VerifyOptions;
  readonly problems: Problem[];
  readonly disclosed: Disclosed[];
  omitted: number;
  /** Valid signatures over the tree: its own, and those of outside checkpoints of the same size. */
  checkpoints: number;
  readonly cosignatures: Cosignatures;
  readonly signers: Signers;
}

/** A bundle in whatever state is a report, never an error. */
export function verifyBundle(bytes: Uint8Array, options: VerifyOptions): VerifyReport {
  const cosignatures = collectCosignatures(options.witnesses ?? [], options.checkSignature);
  const run: Run = {
    options,
    problems: [],
    disclosed: [],
    omitted: 0,
    checkpoints: 0,
    cosignatures,
    signers: signersOf(options.checkSignature, options.key),
  };
  const read = parseBundle(bytes);
  if (!read.ok) {
    problem(run, 'bundle-malformed', read.message);
    return report(run, undefined, 0);
  }
  const { bundle } = read;
  readKeys(run, bundle);
  const checkpoint = signedCheckpoint(run, bundle.checkpoint);
  if (checkpoint !== undefined) {
    const fields = checkEntries(run, bundle.entries, checkpoint);
    for (const disclosure of bundle.disclosures ?? []) checkDisclosure(run, disclosure, fields);
    for (const outside of options.outside ?? []) checkOutside(run, outside, checkpoint);
  }
  return report(run, checkpoint, bundle.entries.length);
}

function problem(run: Run, code: ProblemCode, message: string, entry?: number): void {
  if (run.problems.length === PROBLEMS_MAX) run.omitted += 1;
  else run.problems.push(entry === undefined ? { code, message } : { code, message, entry });
}

function report(
  { options, problems, disclosed, omitted, checkpoints, cosignatures, signers }: Run,
  checkpoint: Checkpoint | undefined,
  entries: number,
): VerifyReport {
  const trusted = options.key === undefined ? 'on-first-sight' : 'given';
  const key = options.key ?? signers.all()[0]?.key;
  return {
    verdict: problems.length === 0 ? 'ok' : 'bad',
    entries,
    root: checkpoint === undefined ? '' : toBase64(checkpoint.root),
    attested: 0,
    erased: 0,
    unsigned: 0,
    checkpoints,
    cosigners: cosignatures.told(),
    ...(key === undefined ? {} : { key: { vkey: formatVerifierKey(key), trusted } }),
    ...(disclosed.length === 0 ? {} : { disclosed }),
    signers: tellSigners(signers),
    problems,
    omitted,
  };
}

/** The key that the bundle names, and those that its entries say came after it. Whether these are in the log comes later. */
function readKeys(run: Run, { key, entries }: Bundle): void {
  const named = parseVerifierKey(key);
  if (named === undefined) problem(run, 'bundle-malformed', `expected \`key\` to be a verifier key, got ${shown(key)}`);
  else run.signers.create(named);
  for (const { position, leaf } of entries) {
    if (!KEY_TYPE.test(leaf)) continue;
    const checked = checkLeaf(utf8(leaf));
    const { type = '', fields = {} } = checked.ok ? checked.envelope : {};
    const fault = run.signers.take(type, fields, position);
    if (fault !== undefined) problem(run, 'entry-key', fault, position);
  }
  const given = run.options.key;
  if (named === undefined || given === undefined || run.signers.isGivenKnown()) return;
  problem(run, 'key-mismatch', `expected the key ${formatVerifierKey(given)}, got ${formatVerifierKey(named)}`);
}

/** The checkpoint, when a key signed it: what is not signed says nothing about any entry. */
function signedCheckpoint(run: Run, text: string): Checkpoint | undefined {
  const signed = parseSignedCheckpoint(text);
  if (!signed.ok) {
    problem(run, 'checkpoint-malformed', signed.message);
    return undefined;
  }
  const { note, checkpoint } = signed.value;
  if (run.options.key === undefined && run.signers.all().length === 0) return undefined;
  const state = run.signers.signedBy(note, checkpoint.size);
  if (state === 'valid') {
    countSigned(run, note, checkpoint.size);
    return checkpoint;
  }
  const code = state === 'revoked' ? 'checkpoint-revoked' : 'checkpoint-signature';
  problem(run, code, signatureFault(state === 'untrusted' ? 'unsigned' : state, checkpoint.size));
  return undefined;
}

function countSigned(run: Run, note: SignedNote, size: number): void {
  run.checkpoints += 1;
  const fault = run.cosignatures.see(note, size, (line) => run.signers.isOwn(line));
  if (fault !== undefined) problem(run, 'cosignature-invalid', fault);
}

/** Answers with the fields of what is an entry, by its position. */
function checkEntries(
  run: Run,
  entries: readonly BundleEntry[],
  checkpoint: Checkpoint,
): ReadonlyMap<number, JsonObject> {
  const fields = new Map<number, JsonObject>();
  let before: { readonly position: number; readonly envelope?: Envelope } = { position: -1 };
  for (const entry of entries) {
    const { position } = entry;
    if (position <= before.position) {
      problem(run, 'entry-order', `expected an entry after ${before.position}, got ${position}`, position);
    }
    const envelope = checkEntry(run, entry, checkpoint);
    const last = before.envelope;
    if (envelope !== undefined && last !== undefined && position > before.position && envelope.at < last.at) {
      const message = `expected an instant from ${shown(last.fields.at)} on, got ${shown(envelope.fields.at)}`;
      problem(run, 'entry-time', message, position);
    }
    if (envelope !== undefined) fields.set(position, envelope.fields);
    before = envelope === undefined ? { ...before, position } : { position, envelope };
  }
  return fields;
}

function checkDisclosure(
  run: Run,
  { position, disclosure }: BundleDisclosure,
  fields: ReadonlyMap<number, JsonObject>,
): void {
  const entry = fields.get(position);
  const opened =
    entry === undefined
      ? ({ ok: false, message: 'expected a disclosure of an entry of this bundle' } as const)
      : openDisclosure(disclosure, position, entry);
  if (opened.ok) run.disclosed.push(opened.disclosed);
  else problem(run, 'disclosure-wrong', opened.message, position);
}

function checkEntry(
  run: Run,
  { position, leaf, proof }: BundleEntry,
  { origin, size, root }: Checkpoint,
): Envelope | undefined {
  const bytes = utf8(leaf);
  if (!verifyInclusion({ index: position, size, leaf: leafHash(bytes), root, proof })) {
    const message = `expected a proof that this is entry ${position} of the ${size} that are signed`;
    problem(run, 'entry-proof', message, position);
  }
  const checked = checkLeaf(bytes);
  if (!checked.ok) {
    problem(run, checked.code, checked.message, position);
    return undefined;
  }
  const { envelope } = checked;
  if (envelope.log !== origin) {
    problem(run, 'entry-log', `expected an entry of ${shown(origin)}, got one of ${shown(envelope.log)}`, position);
  }
  const fault = authorFault(envelope, run.options.checkSignature);
  if (fault !== undefined) problem(run, 'entry-signature', fault, position);
  return envelope;
}

/** A checkpoint kept elsewhere can be compared only with one of its size: the log between two sizes is not here. */
function checkOutside(run: Run, text: string | Uint8Array, { origin, size, root }: Checkpoint): void {
  const signed = parseSignedCheckpoint(text);
  if (!signed.ok) return problem(run, 'outside-malformed', signed.message);
  const { note, checkpoint } = signed.value;
  if (checkpoint.origin !== origin) {
    const message = `expected a checkpoint of ${shown(origin)}, got one of ${shown(checkpoint.origin)}`;
    return problem(run, 'outside-origin', message);
  }
  const state = run.signers.signedBy(note, checkpoint.size);
  if (state !== 'valid') {
    const code = state === 'revoked' ? 'outside-revoked' : 'outside-signature';
    return problem(run, code, signatureFault(state === 'untrusted' ? 'unsigned' : state, checkpoint.size));
  }
  if (checkpoint.size !== size) {
    const message = `expected a checkpoint of size ${size} to compare with, got one of ${checkpoint.size}: that takes the log`;
    return problem(run, 'outside-size', message);
  }
  if (!equalBytes(checkpoint.root, root)) {
    return problem(run, 'outside-root', `expected the root that was signed for size ${size}: history was rewritten`);
  }
  return countSigned(run, note, size);
}
