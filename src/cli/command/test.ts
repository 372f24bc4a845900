/** `interlock test`: decides the cases beside the policy, and tells what of the policy no case has exercised. */

import type { CaseFile, PolicyCase } from '../../policy/case/case.ts';
import { runCase } from '../../policy/case/case-outcome.ts';
import { type Coverage, coverageOf, percentOf } from '../../policy/case/coverage.ts';
import type { RuleResult } from '../../policy/decide/decision.ts';
import { CasePolicies, type CasePolicySource } from '../case-policies.ts';
import { type LoadedCases, casesBeside, loadCases } from '../case-files.ts';
import { type Tried, showCoverage, showFailure, toldCase, toldCoverage } from '../case-report.ts';
import type { CommonOptions } from '../configuration.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import { counted, forbidUse, showIssues, toldIssues } from '../issues.ts';
import { type Terminal, inertJson, writeLine } from '../terminal.ts';

export interface TestOptions extends CommonOptions {
  /** Empty: those beside the configuration. */
  readonly files: readonly string[];
  /** The least percent of coverage that is enough, as typed. */
  readonly coverage?: string;
  readonly offline: boolean;
}

export async function testCommand(terminal: Terminal, options: TestOptions): Promise<ExitCode> {
  const least = readPercent(options.coverage);
  const names = options.files.length === 0 ? await casesBeside(terminal, options) : options.files;
  const files: LoadedCases[] = [];
  for (const name of names) files.push(await loadCases(terminal, name));
  const bad = files.filter(({ issues }) => forbidUse(issues));
  if (bad.length > 0) return refuse(terminal, options, bad);
  const { tried, results, broken } = await runFiles(terminal, options, files);
  if (broken.length > 0) return refuse(terminal, options, broken);
  const coverage = [...results].flatMap(([{ policy, shown }, each]) =>
    policy === undefined ? [] : [{ file: shown, coverage: coverageOf(policy, each) }],
  );
  return report(terminal, options, tried, coverage, least);
}

function readPercent(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const percent = /^\d{1,3}$/u.test(text) ? Number(text) : Number.NaN;
  if (percent <= 100) return percent;
  throw new CliError('usage', `expected \`--coverage\` to be a whole percent of 0 to 100, got \`${text}\``);
}

interface Run {
  readonly tried: readonly Tried[];
  /** What the rules said, case by case, of each policy that stands in a file of its own. */
  readonly results: ReadonlyMap<CasePolicySource, readonly (readonly RuleResult[])[]>;
  /** The policies that do not load. */
  readonly broken: readonly CasePolicySource[];
}

async function runFiles(terminal: Terminal, options: TestOptions, files: readonly LoadedCases[]): Promise<Run> {
  const policies = new CasePolicies(terminal, options);
  const tried: Tried[] = [];
  const results = new Map<CasePolicySource, (readonly RuleResult[])[]>();
  const broken = new Set<CasePolicySource>();
  for (const loaded of files) {
    for (const [cases, each] of casesOf(loaded)) {
      const source = await policies.of(each, loaded, cases);
      if (source.broken) broken.add(source);
      else {
        const outcome = runCase(source, each);
        tried.push({ file: loaded.shown, tried: each, outcome });
        if (source.apart) results.set(source, [...(results.get(source) ?? []), outcome.results]);
      }
    }
  }
  return { tried, results, broken: [...broken] };
}

function casesOf({ cases }: LoadedCases): readonly (readonly [CaseFile, PolicyCase])[] {
  return cases === undefined ? [] : cases.cases.map((each) => [cases, each] as const);
}

/** Says why nothing was tested. */
function refuse(
  terminal: Terminal,
  { json }: TestOptions,
  bad: readonly Pick<LoadedCases, 'issues' | 'shown' | 'source'>[],
): ExitCode {
  if (json) {
    const issues = bad.flatMap(({ issues: found, shown }) => toldIssues(found, shown));
    writeLine(terminal.output, inertJson({ ok: false, issues }));
  } else for (const { issues, shown, source } of bad) showIssues(terminal, issues, shown, source);
  return EXIT.usage;
}

function report(
  terminal: Terminal,
  { json }: TestOptions,
  tried: readonly Tried[],
  coverages: readonly { readonly file: string; readonly coverage: Coverage }[],
  least: number | undefined,
): ExitCode {
  const failed = tried.filter(({ outcome }) => outcome.differences.length > 0);
  const percent = percentOf({
    goals: sum(coverages.map(({ coverage }) => coverage.goals)),
    met: sum(coverages.map(({ coverage }) => coverage.met)),
  });
  const covered = least === undefined || percent >= least;
  const ok = failed.length === 0 && covered;
  if (json) {
    const policies = coverages.map(({ file, coverage }) => toldCoverage(file, coverage));
    const count = { passed: tried.length - failed.length, failed: failed.length };
    const answer = { ok, ...count, cases: tried.map(toldCase), coverage: { percent, least: least ?? null, policies } };
    writeLine(terminal.output, inertJson(answer));
    return ok ? EXIT.ok : EXIT.wrong;
  }
  for (const each of failed) showFailure(terminal, each);
  for (const { file, coverage } of coverages) showCoverage(terminal, file, coverage);
  const { colour } = terminal;
  const verdict = ok ? colour.green('ok') : colour.red('failed');
  const said = [verdict, `${counted(tried.length - failed.length, 'case')} passed`];
  if (failed.length > 0) said.push(`${failed.length} failed`);
  if (coverages.length > 0) said.push(`coverage ${percent} %`);
  if (!covered) said.push(`less than the ${least} % that were asked for`);
  writeLine(terminal.output, said.join(', '));
  return ok ? EXIT.ok : EXIT.wrong;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
