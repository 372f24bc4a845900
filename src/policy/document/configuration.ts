/** `interlock.yaml`: parsed whole, checked against the list of keys, every problem with its place. */

import { isMap, isScalar } from 'yaml';
import type { Digest } from '../../value/digest.ts';
import { isJsonObject } from '../../value/json.ts';
import type { JsonObject } from '../../value/json.ts';
import type { Issue, Parsed } from '../../value/issue.ts';
import { readBudgets } from '../meter/budget.ts';
import type { Budget } from '../meter/budget.ts';
import { checkCharges, readTools } from './declaration.ts';
import type { ToolDeclaration } from './declaration.ts';
import { vetDocument } from '../../document/document.ts';
import { issueList } from '../../document/issue-list.ts';
import { LATER } from './later.ts';
import { readLimits } from '../meter/limit.ts';
import type { Limit } from '../meter/limit.ts';
import { readModels } from './model.ts';
import type { ModelConfiguration } from './model.ts';
import { readPreset } from './preset.ts';
import type { Preset } from './preset.ts';
import { PRINCIPAL_LENGTH_MAX, readPrincipals } from './principal.ts';
import type { PrincipalDeclaration } from './principal.ts';
import { placeOf, readerOf, readFields, readJson, readText, refuse, shown, target } from '../../document/reader.ts';
import type { Entry, Item, Reader } from '../../document/reader.ts';
import { configurationDigest } from '../recorded.ts';
import { readRules } from './rule.ts';
import type { Rule } from './rule.ts';
import { readServers } from './server.ts';
import type { ServerConfiguration } from './server.ts';
import { APPROVALS, CHECKPOINTS, CLOCK, DISK, PERSONAL, PINS, RETENTION, SECRETS } from './settings.ts';
import { readApprovals, readCheckpoints, readClock, readDisk, readPersonal } from './settings.ts';
import { readPrograms } from './program.ts';
import type { ProgramDeclaration } from './program.ts';
import { readPins, readRetention, readSecretSettings } from './settings.ts';
import type { ApprovalSettings, CheckpointSettings, ClockSettings, DiskSettings } from './settings.ts';
import type { PersonalSettings, PinSettings, RetentionSettings, SecretSettings } from './settings.ts';
import { sourceOf } from '../../document/source.ts';
import type { Located } from '../../document/source.ts';

/** A configuration as data. Strings stand as written; the caller resolves paths against the file's directory. */
export interface Configuration {
  readonly file: string;
  /** Who the caller on stdio is. */
  readonly principal: string;
  readonly servers: ReadonlyMap<string, ServerConfiguration>;
  /** By name, in file order. */
  readonly models: ReadonlyMap<string, ModelConfiguration>;
  /** In file order. */
  readonly tools: readonly ToolDeclaration[];
  /** Absent when the file has no `principals:`: then every principal is known, without roles. */
  readonly principals?: ReadonlyMap<string, PrincipalDeclaration>;
  /** In file order; what stands for `preset` comes last. */
  readonly rules: readonly Rule[];
  readonly preset?: Preset;
  /** By name, in file order. */
  readonly programs: ReadonlyMap<string, ProgramDeclaration>;
  /** The file of a second policy to decide beside this one, as written. */
  readonly shadow?: Located;
  /** By name, in file order. */
  readonly budgets: ReadonlyMap<string, Budget>;
  /** In file order. */
  readonly limits: readonly Limit[];
  readonly approvals: ApprovalSettings;
  readonly retention: RetentionSettings;
  readonly pins: PinSettings;
  readonly clock: ClockSettings;
  readonly disk: DiskSettings;
  readonly checkpoints: CheckpointSettings;
  readonly personal: PersonalSettings;
  readonly secrets: SecretSettings;
  /** The whole document as written, `${NAME}` unreplaced. */
  readonly data: JsonObject;
  /** `configurationDigest` of `data`: identifies the policy. */
  readonly digest: Digest;
}

const VERSION = 1;
const LOCAL = 'local';
const DEFAULTS = {
  servers: new Map(),
  models: new Map(),
  tools: [],
  rules: [],
  programs: new Map(),
  budgets: new Map(),
  limits: [],
  approvals: APPROVALS,
  pins: PINS,
  retention: RETENTION,
  clock: CLOCK,
  disk: DISK,
  checkpoints: CHECKPOINTS,
  personal: PERSONAL,
  secrets: SECRETS,
} satisfies Partial<Configuration>;

/**
 * The configuration that `text` writes, or every problem found. `file` is named in the issues only. `environment`
 * gives the values of `${NAME}`, which reach `servers` and nothing else.
 */
export function parseConfiguration(
  text: string,
  options: { readonly file: string; readonly environment: Readonly<Record<string, string | undefined>> },
): Parsed<Configuration> {
  const source = sourceOf(text, options.file);
  const issues: Issue[] = [];
  const vetted = vetDocument(source, issues);
  if (vetted === undefined) return { ok: false, issues };
  return readConfiguration(readerOf(source, issues, vetted.aliases, options.environment), vetted.root);
}

/** The configuration that `root` writes, which may be a part of a larger document: issues are those of `reader`. */
export function readConfiguration(reader: Reader, root: Item): Parsed<Configuration> {
  const value = readDocument(reader, root);
  const issues = issueList(reader.issues);
  return value === undefined ? { ok: false, issues } : { ok: true, value, issues };
}

function readDocument(reader: Reader, root: Item): Configuration | undefined {
  const start = placeOf(reader, root, { line: 1, column: 1 });
  const draft: { -readonly [K in keyof Configuration]?: Configuration[K] } = {};
  let version: Entry | undefined;
  let principal: Entry | undefined;
  const added: Rule[] = [];
  let budgetsSound = true;
  const parsers = {
    interlock: (entry: Entry) => {
      version = entry;
      checkVersion(reader, entry);
    },
    principal: (entry: Entry) => {
      principal = entry;
      draft.principal = readPrincipal(reader, entry);
    },
    servers: (entry: Entry) => void (draft.servers = readServers(reader, entry)),
    models: (entry: Entry) => void (draft.models = readModels(reader, entry)),
    tools: (entry: Entry) => void (draft.tools = readTools(reader, entry)),
    principals: (entry: Entry) => void (draft.principals = readPrincipals(reader, entry)),
    programs: (entry: Entry) => void (draft.programs = readPrograms(reader, entry)),
    rules: (entry: Entry) => void (draft.rules = readRules(reader, entry)),
    budgets: (entry: Entry) => {
      const before = reader.issues.length;
      draft.budgets = readBudgets(reader, entry);
      budgetsSound = reader.issues.length === before;
    },
    limits: (entry: Entry) => void (draft.limits = readLimits(reader, entry)),
    approvals: (entry: Entry) => void (draft.approvals = readApprovals(reader, entry)),
    shadow: (entry: Entry) => {
      const file = readText(reader, entry.value, entry.place, '`shadow`');
      if (file !== undefined) draft.shadow = file;
    },
    retention: (entry: Entry) => void (draft.retention = readRetention(reader, entry)),
    pins: (entry: Entry) => void (draft.pins = readPins(reader, entry)),
    clock: (entry: Entry) => void (draft.clock = readClock(reader, entry)),
    disk: (entry: Entry) => void (draft.disk = readDisk(reader, entry)),
    checkpoints: (entry: Entry) => void (draft.checkpoints = readCheckpoints(reader, entry)),
    personal: (entry: Entry) => void (draft.personal = readPersonal(reader, entry)),
    secrets: (entry: Entry) => void (draft.secrets = readSecretSettings(reader, entry)),
    preset: (entry: Entry) => {
      const read = readPreset(reader, entry);
      if (read !== undefined) draft.preset = read.preset;
      added.push(...(read?.rules ?? []));
    },
  };
  readFields(reader, root, start, 'the configuration', parsers, LATER.top);
  if (version === undefined && isMap(root)) {
    refuse(reader, start, 'missing-key', 'the configuration has no `interlock`', `write \`interlock: ${VERSION}\``);
  }
  // A budget that could not be read has been told already.
  if (budgetsSound) checkCharges(reader, draft.tools ?? [], draft.budgets ?? new Map());
  checkShown(reader, draft);
  const named = draft.principal ?? LOCAL;
  if (principal !== undefined && named !== LOCAL && draft.principals?.has(named) === false) {
    const hint = 'add it there, or leave `principals` out';
    refuse(reader, principal.place, 'principal-unknown', `\`${shown(named)}\` is not among \`principals\``, hint);
  }
  if (reader.issues.some((issue) => issue.severity === 'error')) return undefined;
  const data = readJson(reader, root, start, 'the configuration');
  if (!isJsonObject(data)) return undefined;
  const digest = configurationDigest(data);
  const rules = [...(draft.rules ?? []), ...added];
  return Object.freeze({ ...DEFAULTS, ...draft, rules, file: reader.source.file, principal: named, data, digest });
}

/** A misspelt name would leave a model without what it was to see. */
function checkShown(reader: Reader, { personal, models = new Map() }: Partial<Configuration>): void {
  for (const [name, place] of personal?.shownTo ?? []) {
    if (models.has(name)) continue;
    const message = `\`models\` of \`personal\` names \`${shown(name)}\`, which is none of \`models\``;
    refuse(reader, place, 'model-unknown', message);
  }
}

function checkVersion(reader: Reader, entry: Entry): void {
  const node = target(reader, entry.value);
  const written = isScalar(node) ? node.value : undefined;
  if (written === VERSION) return;
  if (typeof written === 'number') {
    const hint = `this program reads \`interlock: ${VERSION}\``;
    refuse(reader, entry.place, 'version-unsupported', `version ${written} of the format is not supported`, hint);
    return;
  }
  refuse(
    reader,
    entry.place,
    'wrong-type',
    `expected \`interlock\` to be the number ${VERSION}`,
    'write it without quotes',
  );
}

function readPrincipal(reader: Reader, entry: Entry): string {
  const text = readText(reader, entry.value, entry.place, '`principal`');
  if (text === undefined || text.text.length <= PRINCIPAL_LENGTH_MAX) return text?.text ?? LOCAL;
  const message = `expected \`principal\` to have at most ${PRINCIPAL_LENGTH_MAX} characters, got ${text.text.length}`;
  refuse(reader, entry.place, 'wrong-value', message);
  return LOCAL;
}
