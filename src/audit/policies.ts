/** The policies of a log, made again from the texts that it holds under their digests. */

import type { Entry } from '../ledger/entry.ts';
import type { Policy } from '../policy/compile.ts';
import type { Configuration } from '../policy/document/configuration.ts';
import { readRecorded, recompile } from '../policy/recompile.ts';
import { besideMain } from '../policy/decide/shadow.ts';
import { type Digest, digestOfBytes } from '../value/digest.ts';
import { utf8 } from '../value/encoding.ts';
import { type JsonObject, isJsonObject, parseJson } from '../value/json.ts';
import { DEPTH_CEILING } from '../value/limits.ts';

/** Policies that are kept ready; a log with more of them at once makes them again. */
const READY_MAX = 16;

interface Ready {
  readonly policy: Policy;
  /** Tools whose definitions were not in the log yet when it was made. */
  readonly missing: ReadonlySet<string>;
}

/** What decisions name by digest, as far as the log was read. In memory once a digest. */
export class RecordedPolicies {
  readonly #parts = new Map<string, string[]>();
  readonly #contents = new Map<string, JsonObject>();
  readonly #configurations = new Map<string, Configuration | undefined>();
  readonly #ready = new Map<string, Ready>();

  /** Takes an entry `policy.content` or `program.content`. Answers what is wrong with it, if anything is. */
  add(entry: Entry): string | undefined {
    const { content, part, parts, text } = entry;
    if (typeof content !== 'string' || typeof text !== 'string' || typeof part !== 'number') return 'it has no text';
    const known = this.#parts.get(content) ?? [];
    known.push(text);
    this.#parts.set(content, known);
    if (known.length !== parts) return undefined;
    this.#parts.delete(content);
    const whole = known.join('');
    if (digestOfBytes(utf8(whole)) !== content) return `the text under \`${content}\` has another digest`;
    const parsed = parseJson(whole, { depthMax: DEPTH_CEILING, bytesMax: Number.MAX_SAFE_INTEGER });
    if (!parsed.ok || !isJsonObject(parsed.value)) return `the text under \`${content}\` is no JSON object`;
    this.#contents.set(content, parsed.value);
    return undefined;
  }

  /** The definition of a tool, the configuration, the list of tools or the program under a digest. */
  content(digest: string): JsonObject | undefined {
    return this.#contents.get(digest);
  }

  configuration(digest: string): Configuration | undefined {
    if (this.#configurations.has(digest)) return this.#configurations.get(digest);
    const data = this.#contents.get(digest);
    if (data === undefined) return undefined;
    const read = readRecorded(data, digest as Digest);
    this.#configurations.set(digest, read);
    return read;
  }

  /** The policy that a decision about `tool` names; nothing when the log does not hold it. */
  policy(digest: string, catalog: string, tool: string): Policy | undefined {
    const configuration = this.configuration(digest);
    return configuration && this.#made(`${digest} ${catalog}`, configuration, catalog, tool);
  }

  /** The shadow that stood beside `main`. */
  shadow(main: Configuration, digest: string, catalog: string, tool: string): Policy | undefined {
    const own = this.configuration(digest);
    return own && this.#made(`${main.digest} ${digest} ${catalog}`, besideMain(main, own), catalog, tool);
  }

  /** Another configuration over the tools of `catalog`. */
  beside(configuration: Configuration, catalog: string, tool: string): Policy | undefined {
    return this.#made(`beside ${configuration.digest} ${catalog}`, configuration, catalog, tool);
  }

  #made(name: string, configuration: Configuration, catalog: string, tool: string): Policy | undefined {
    const ready = this.#ready.get(name);
    if (ready !== undefined && !this.#isLacking(ready, tool)) return ready.policy;
    const data = this.#contents.get(catalog);
    const missing = new Set<string>();
    const policy =
      data && recompile(configuration, { digest: catalog as Digest, data }, (of) => this.#contents.get(of));
    if (data === undefined || policy === undefined) return undefined;
    const listed = isJsonObject(data['tools']) ? data['tools'] : {};
    for (const [each, said] of Object.entries(listed)) {
      const definition = isJsonObject(said) ? said['definition'] : undefined;
      if (typeof definition === 'string' && !this.#contents.has(definition)) missing.add(each);
    }
    this.#ready.delete(name);
    this.#ready.set(name, { policy, missing });
    const [oldest] = this.#ready.keys();
    if (this.#ready.size > READY_MAX && oldest !== undefined) this.#ready.delete(oldest);
    return policy;
  }

  /** Whether the tool, or one that is asked about its calls, was not known when the policy was made, and is now. */
  #isLacking({ policy, missing }: Ready, tool: string): boolean {
    if (missing.size === 0) return false;
    const asked = policy.configuration.tools.flatMap(({ declared: { probe, subjectCheck } }) => [
      ...(probe === undefined ? [] : [probe.tool.text]),
      ...(subjectCheck === undefined ? [] : [subjectCheck.text]),
    ]);
    return [tool, ...asked].some((name) => {
      const digest = policy.tools.get(name)?.definition.digest;
      return missing.has(name) && digest !== undefined && this.#contents.has(digest);
    });
  }
}
