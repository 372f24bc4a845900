/** The policies that cases are decided by, each loaded once: files as `check` loads them, or written in the case. */

import path from 'node:path';
import type { CaseFile, PolicyCase } from '../policy/case/case.ts';
import type { Ready } from '../policy/case/case-outcome.ts';
import { compilePolicy } from '../policy/compile.ts';
import type { Configuration } from '../policy/document/configuration.ts';
import type { Issue, Parsed } from '../value/issue.ts';
import type { LoadedCases } from './case-files.ts';
import { type CommonOptions, configurationFile, loadConfiguration } from './configuration.ts';
import { forbidUse } from './issues.ts';
import { typePolicy } from './schemas.ts';
import type { Terminal } from './terminal.ts';

/** A policy with the file it is in; `broken` tells that the file does not load, so that nothing can be tested. */
export interface CasePolicySource extends Ready {
  readonly shown: string;
  readonly source: string | undefined;
  /** Whether it stands in a file of its own, and not in the case. */
  readonly apart: boolean;
  readonly broken: boolean;
}

/** Finds the policy of each case; equal places give the same object. */
export class CasePolicies {
  readonly #terminal: Terminal;
  readonly #options: CommonOptions & { readonly offline: boolean };
  readonly #files = new Map<string, CasePolicySource>();
  readonly #inline = new WeakMap<Parsed<Configuration>, CasePolicySource>();

  constructor(terminal: Terminal, options: CommonOptions & { readonly offline: boolean }) {
    this.#terminal = terminal;
    this.#options = options;
  }

  async of({ policy }: PolicyCase, loaded: LoadedCases, cases: CaseFile): Promise<CasePolicySource> {
    if (policy.kind === 'inline') return this.#written(policy.configuration, loaded, cases);
    const config = policy.kind === 'file' ? path.join(path.dirname(loaded.shown), policy.path.text) : undefined;
    const options = config === undefined ? this.#options : { ...this.#options, config };
    const file = configurationFile(this.#terminal, options);
    // What a file of cases says of the tools holds for its cases only.
    const key = cases.tools === undefined ? file : `${loaded.shown}\0${file}`;
    const known = this.#files.get(key) ?? (await this.#load(options, cases));
    this.#files.set(key, known);
    return known;
  }

  async #load(options: CommonOptions & { readonly offline: boolean }, cases: CaseFile): Promise<CasePolicySource> {
    const loaded = await loadConfiguration(this.#terminal, options);
    const { configuration, shown, source } = loaded;
    const { policy, issues } =
      cases.tools === undefined || configuration === undefined
        ? await typePolicy(this.#terminal, loaded, options)
        : ready(configuration, loaded.issues, cases);
    return { policy, issues, shown, source, apart: true, broken: policy === undefined || forbidUse(issues) };
  }

  #written(parsed: Parsed<Configuration>, { shown, source }: LoadedCases, cases: CaseFile): CasePolicySource {
    const known = this.#inline.get(parsed);
    if (known !== undefined) return known;
    const { policy, issues } = parsed.ok
      ? ready(parsed.value, parsed.issues, cases)
      : { policy: undefined, issues: parsed.issues };
    const found = { policy, issues, shown, source, apart: false, broken: false };
    this.#inline.set(parsed, found);
    return found;
  }
}

/** The policy over the tools that the file of cases serves. */
function ready(configuration: Configuration, before: readonly Issue[], { tools, complete, lock }: CaseFile): Ready {
  const pins = lock === undefined ? {} : { lock };
  const { policy, issues } = compilePolicy(configuration, tools ?? new Map(), { complete, pins });
  return { policy, issues: [...before, ...issues] };
}
