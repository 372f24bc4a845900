/** Settings of the whole: `approvals`, `checkpoints`, `clock`, `disk`, `personal`, `pins`, `retention`, `secrets`. */

import { readDuration } from '../../document/duration.ts';
import type { Place } from '../../value/issue.ts';
import { readBoolean, readEntries, readFields, readText, readWord, shown } from '../../document/reader.ts';
import type { Entry, Reader } from '../../document/reader.ts';
import { LATER } from './later.ts';
import { readSize } from '../../document/size.ts';
import { readWitnesses } from './witness.ts';
import type { WitnessSettings } from './witness.ts';

export interface ApprovalSettings {
  /** Whether an answer counts only with its approver's signature; else the operating-system user's word does too. */
  readonly signed: boolean;
  /** Whether the host is known to show questions to a person, so that a caller may answer where `requester` may. */
  readonly interactive: boolean;
}

export const APPROVALS: ApprovalSettings = { signed: true, interactive: false };

export interface RetentionSettings {
  /** How long after a call has ended its result, and its arguments if they are sealed, are kept, milliseconds. */
  readonly bodiesMs?: number;
}

/** Everything is kept. */
export const RETENTION: RetentionSettings = {};

export function readRetention(reader: Reader, entry: Entry): RetentionSettings {
  let bodiesMs: number | undefined;
  const parsers = {
    bodies: (inner: Entry) => void (bodiesMs = readDuration(reader, inner, '`bodies` of `retention`')),
  };
  readFields(reader, entry.value, entry.place, '`retention`', parsers, []);
  return bodiesMs === undefined ? RETENTION : Object.freeze({ bodiesMs });
}

const FIRST = ['trust', 'ask'] as const;

export interface PinSettings {
  /** Whether a tool that nothing pins is used and remembered as it is, or denied until somebody reviews it. */
  readonly first: (typeof FIRST)[number];
}

export const PINS: PinSettings = { first: 'trust' };

export function readPins(reader: Reader, entry: Entry): PinSettings {
  let { first } = PINS;
  const parsers = {
    first: (inner: Entry) => {
      first = readWord(reader, inner.value, inner.place, '`first` of `pins`', FIRST) ?? first;
    },
  };
  readFields(reader, entry.value, entry.place, '`pins`', parsers);
  return Object.freeze({ first });
}

export interface CheckpointSettings {
  /** Where a checkpoint is kept outside of the data directory, as written; absent: in the user's state directory. */
  readonly file?: string;
  /** Who is asked to cosign checkpoints. */
  readonly witnesses: readonly WitnessSettings[];
}

export const CHECKPOINTS: CheckpointSettings = { witnesses: [] };

export function readApprovals(reader: Reader, entry: Entry): ApprovalSettings {
  let { signed, interactive } = APPROVALS;
  const parsers = {
    signed: (inner: Entry) => void (signed = flag(reader, inner, 'approvals') ?? signed),
    interactive: (inner: Entry) => void (interactive = flag(reader, inner, 'approvals') ?? interactive),
  };
  readFields(reader, entry.value, entry.place, '`approvals`', parsers, LATER.approvals);
  return Object.freeze({ signed, interactive });
}

export interface ClockSettings {
  /** A start longer than that after the last entry waits for a person before anything is changed; milliseconds. */
  readonly gapMs: number;
}

export const CLOCK: ClockSettings = { gapMs: 30 * 86_400_000 };

export function readClock(reader: Reader, entry: Entry): ClockSettings {
  let { gapMs } = CLOCK;
  const parsers = {
    gap: (inner: Entry) => void (gapMs = readDuration(reader, inner, '`gap` of `clock`') ?? gapMs),
  };
  readFields(reader, entry.value, entry.place, '`clock`', parsers, LATER.clock);
  return Object.freeze({ gapMs });
}

export interface DiskSettings {
  /** With less than that free on the disk of the ledger no call is decided; bytes. */
  readonly reserve: number;
}

export const DISK: DiskSettings = { reserve: 64 * 2 ** 20 };

export function readDisk(reader: Reader, entry: Entry): DiskSettings {
  let { reserve } = DISK;
  const parsers = {
    reserve: (inner: Entry) => void (reserve = readSize(reader, inner, '`reserve` of `disk`') ?? reserve),
  };
  readFields(reader, entry.value, entry.place, '`disk`', parsers, LATER.disk);
  return Object.freeze({ reserve });
}

export interface PersonalSettings {
  /** How long the key that wraps all others lasts before a gateway rotates it, milliseconds; absent: 30 days. */
  readonly epochMs?: number;
  /** Whether the caller sees what is personal of a result, or references to it. */
  readonly results: Results;
  /** The models that see what is personal of their prompts; all others see references to it. */
  readonly shownTo: ReadonlyMap<string, Place>;
}

const RESULTS = ['show', 'hide'] as const;
type Results = (typeof RESULTS)[number];

export const PERSONAL: PersonalSettings = { results: 'show', shownTo: new Map() };

const WHICH = '`models` of `personal`';

export function readPersonal(reader: Reader, entry: Entry): PersonalSettings {
  let epochMs: number | undefined;
  let { results } = PERSONAL;
  const shownTo = new Map<string, Place>();
  const parsers = {
    epoch: (inner: Entry) => void (epochMs = readDuration(reader, inner, '`epoch` of `personal`')),
    results: (inner: Entry) => void (results = readResults(reader, inner, 'personal') ?? results),
    models: (inner: Entry) => {
      for (const { key, keyPlace, value, place } of readEntries(reader, inner.value, inner.place, WHICH) ?? []) {
        const word = readWord(reader, value, place, `\`${shown(key)}\` in ${WHICH}`, RESULTS);
        if (word === 'show') shownTo.set(key, keyPlace);
      }
    },
  };
  readFields(reader, entry.value, entry.place, '`personal`', parsers);
  return Object.freeze(epochMs === undefined ? { results, shownTo } : { epochMs, results, shownTo });
}

export interface SecretSettings {
  /** Whether secrets are looked for where none is declared. */
  readonly detect: boolean;
  /** How long a result that holds secrets is kept for whoever asks again under its key, milliseconds. */
  readonly replayMs: number;
  /** Whether the caller sees the secrets of a result, or references to them. */
  readonly results: Results;
}

export const SECRETS: SecretSettings = { detect: true, replayMs: 600_000, results: 'show' };

export function readSecretSettings(reader: Reader, entry: Entry): SecretSettings {
  let { detect, replayMs, results } = SECRETS;
  const parsers = {
    detect: (inner: Entry) => void (detect = flag(reader, inner, 'secrets') ?? detect),
    results: (inner: Entry) => void (results = readResults(reader, inner, 'secrets') ?? results),
    replay: (inner: Entry) => void (replayMs = readDuration(reader, inner, '`replay` of `secrets`') ?? replayMs),
  };
  readFields(reader, entry.value, entry.place, '`secrets`', parsers);
  return Object.freeze({ detect, replayMs, results });
}

export function readCheckpoints(reader: Reader, entry: Entry): CheckpointSettings {
  let file: string | undefined;
  let { witnesses } = CHECKPOINTS;
  const parsers = {
    file: (inner: Entry) =>
      void (file = readText(reader, inner.value, inner.place, '`file` of `checkpoints`')?.text ?? file),
    witnesses: (inner: Entry) => void (witnesses = readWitnesses(reader, inner)),
  };
  readFields(reader, entry.value, entry.place, '`checkpoints`', parsers);
  return Object.freeze(file === undefined ? { witnesses } : { file, witnesses });
}

function readResults(reader: Reader, entry: Entry, section: string): Results | undefined {
  return readWord(reader, entry.value, entry.place, `\`results\` of \`${section}\``, RESULTS);
}

function flag(reader: Reader, entry: Entry, section: string): boolean | undefined {
  return readBoolean(reader, entry.value, entry.place, `\`${entry.key}\` of \`${section}\``);
}
