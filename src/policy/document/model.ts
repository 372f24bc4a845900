/** `models:` — the models that programs may ask: who serves each, under which key, and at what price. */

import type { Place } from '../../value/issue.ts';
import { readEntries, readFields, readJson, readText, readWord, refuse, shown } from '../../document/reader.ts';
import type { Entry, Reader } from '../../document/reader.ts';

/** US dollars per million tokens; so much in millionths of a dollar is what one token costs. */
export interface ModelPrice {
  readonly input: number;
  readonly output: number;
}

interface Common {
  readonly name: string;
  readonly place: Place;
  /** Absent: what an answer costs is not known. */
  readonly price?: ModelPrice;
}

/** A model behind an HTTP API. */
export interface ServedModel extends Common {
  readonly provider: 'openai' | 'anthropic' | 'openai-compatible';
  /** As the provider calls it. */
  readonly model: string;
  /** The base of its API; absent: the provider's own. */
  readonly url?: string;
  /** The environment variable that holds the key; absent: the provider's own, none for `openai-compatible`. */
  readonly apiKeyEnv?: string;
}

/** Answers that were written down before: a run needs neither key nor network. */
export interface ScriptedModel extends Common {
  readonly provider: 'scripted';
  /** As written; relative to the directory of the configuration file. */
  readonly file: string;
}

export type ModelConfiguration = ServedModel | ScriptedModel;

const PROVIDERS = ['openai', 'anthropic', 'openai-compatible', 'scripted'] as const;
type Provider = (typeof PROVIDERS)[number];

const MODEL_NAME = /^[a-z][a-z0-9-]{0,31}$/u;
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/u;
/** A base to which paths are appended: nothing that is a secret, nothing that a path would follow. */
const URL_SHAPE = /^https?:\/\/[^@?#\s\\]+$/u;
const MODELS_MAX = 1_000;
/** US dollars per million tokens. */
const PRICE_MAX = 1_000_000;

/** The keys that a provider takes beside `provider` and `price`, those it needs marked. */
const KEYS: Readonly<Record<Provider, Readonly<Record<string, 'needed' | 'taken'>>>> = {
  openai: { model: 'needed', url: 'taken', apiKeyEnv: 'taken' },
  anthropic: { model: 'needed', url: 'taken', apiKeyEnv: 'taken' },
  'openai-compatible': { model: 'needed', url: 'needed', apiKeyEnv: 'taken' },
  scripted: { file: 'needed' },
};

export function readModels(reader: Reader, entry: Entry): ReadonlyMap<string, ModelConfiguration> {
  const models = new Map<string, ModelConfiguration>();
  const entries = readEntries(reader, entry.value, entry.place, '`models`') ?? [];
  if (entries.length > MODELS_MAX) {
    refuse(reader, entry.keyPlace, 'too-many', `expected at most ${MODELS_MAX} models, got ${entries.length}`);
    return models;
  }
  for (const model of entries) {
    const read = checkName(reader, model) ? readModel(reader, model) : undefined;
    if (read !== undefined) models.set(model.key, read);
  }
  return models;
}

function checkName(reader: Reader, { key, keyPlace }: Entry): boolean {
  if (MODEL_NAME.test(key)) return true;
  const hint = 'a lower-case letter, then at most 31 lower-case letters, digits and `-`';
  refuse(reader, keyPlace, 'model-name-malformed', `\`${shown(key)}\` cannot name a model`, hint);
  return false;
}

function readModel(reader: Reader, entry: Entry): ModelConfiguration | undefined {
  const what = `model \`${entry.key}\``;
  const before = reader.issues.length;
  const texts = new Map<string, { readonly text: string; readonly at: Place }>();
  let provider: Provider | undefined;
  let price: ModelPrice | undefined;
  const text =
    (check?: (inner: Entry, text: string, name: string) => void) =>
    (inner: Entry): void => {
      const name = `\`${inner.key}\` of ${what}`;
      const read = readText(reader, inner.value, inner.place, name)?.text;
      if (read === undefined) return;
      texts.set(inner.key, { text: read, at: inner.keyPlace });
      check?.(inner, read, name);
    };
  const parsers = {
    provider: (inner: Entry) =>
      void (provider = readWord(reader, inner.value, inner.place, `\`provider\` of ${what}`, PROVIDERS)),
    model: text(),
    url: text((inner, url, name) => checkUrl(reader, inner, url, name)),
    apiKeyEnv: text((inner, variable, name) => checkVariable(reader, inner, variable, name)),
    price: (inner: Entry) => void (price = readPrice(reader, inner, what)),
    file: text(),
  };
  readFields(reader, entry.value, entry.place, what, parsers);
  if (reader.issues.length > before) return undefined;
  if (provider === undefined) {
    const hint = `write \`provider\`: one of ${PROVIDERS.join(', ')}`;
    return refuse(reader, entry.keyPlace, 'missing-key', `${what} has no \`provider\``, hint);
  }
  if (!checkKeys(reader, entry, provider, texts)) return undefined;
  const common = { name: entry.key, place: entry.keyPlace, ...(price === undefined ? {} : { price }) };
  return modelOf(common, provider, (key) => texts.get(key)?.text);
}

/** Of keys that were checked. */
function modelOf(
  common: Common,
  provider: Provider,
  textOf: (key: string) => string | undefined,
): ModelConfiguration | undefined {
  if (provider === 'scripted') {
    const file = textOf('file');
    return file === undefined ? undefined : Object.freeze({ ...common, provider, file });
  }
  const [model, url, apiKeyEnv] = [textOf('model'), textOf('url'), textOf('apiKeyEnv')];
  if (model === undefined) return undefined;
  const reached = { ...(url === undefined ? {} : { url }), ...(apiKeyEnv === undefined ? {} : { apiKeyEnv }) };
  return Object.freeze({ ...common, provider, model, ...reached });
}

/** Each provider has keys of its own: one that it would not look at is a mistake. */
function checkKeys(
  reader: Reader,
  { key: name, keyPlace }: Entry,
  provider: Provider,
  texts: ReadonlyMap<string, { readonly at: Place }>,
): boolean {
  const keys = KEYS[provider];
  const before = reader.issues.length;
  for (const [key, { at }] of texts) {
    if (Object.hasOwn(keys, key)) continue;
    const message = `model \`${name}\` has \`${key}\`, which the provider \`${provider}\` does not have`;
    refuse(reader, at, 'wrong-value', message, `it has: ${Object.keys(keys).join(', ')}`);
  }
  for (const [key, need] of Object.entries(keys)) {
    if (need === 'taken' || texts.has(key)) continue;
    refuse(reader, keyPlace, 'missing-key', `model \`${name}\` has no \`${key}\``, `\`${provider}\` needs it`);
  }
  return reader.issues.length === before;
}

function checkUrl(reader: Reader, { place }: Entry, url: string, name: string): void {
  if (URL_SHAPE.test(url) && URL.canParse(url)) return;
  const hint = 'the base of the API, such as `http://localhost:11434/v1`; a key belongs into `apiKeyEnv`';
  refuse(reader, place, 'wrong-value', `expected ${name} to be an http or https URL, got \`${shown(url)}\``, hint);
}

/** Whoever writes the key itself there is not to see it again in a message. */
function checkVariable(reader: Reader, { place }: Entry, variable: string, name: string): void {
  if (VARIABLE.test(variable)) return;
  const hint = 'the name of the variable that holds the key, such as `OPENAI_API_KEY`; never the key';
  refuse(reader, place, 'wrong-value', `expected ${name} to name an environment variable`, hint);
}

function readPrice(reader: Reader, entry: Entry, what: string): ModelPrice | undefined {
  const price: { input?: number | undefined; output?: number | undefined } = {};
  const amount = (inner: Entry): number | undefined => {
    const name = `\`${inner.key}\` of \`price\` of ${what}`;
    const read = readJson(reader, inner.value, inner.place, name);
    if (read === undefined) return undefined;
    if (typeof read === 'number' && read >= 0 && read <= PRICE_MAX) return read;
    const message = `expected ${name} to be US dollars per million tokens, 0 to ${PRICE_MAX}`;
    return refuse(reader, inner.place, 'wrong-value', message);
  };
  const parsers = {
    input: (inner: Entry) => void (price.input = amount(inner)),
    output: (inner: Entry) => void (price.output = amount(inner)),
  };
  const before = reader.issues.length;
  if (!readFields(reader, entry.value, entry.place, `\`price\` of ${what}`, parsers)) return undefined;
  const { input, output } = price;
  if (input !== undefined && output !== undefined) return Object.freeze({ input, output });
  if (reader.issues.length > before) return undefined;
  const hint = 'write `{ input: 2.5, output: 10 }`, US dollars per million tokens';
  return refuse(reader, entry.place, 'missing-key', `\`price\` of ${what} needs \`input\` and \`output\``, hint);
}
