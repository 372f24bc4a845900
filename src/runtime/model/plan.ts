/** A program drafted by a model: asked, checked, and asked again with what was wrong, for as long as that is worth it. */

import { type Offer, draftFault, draftIn, planAgain, planPrompt } from '../../program/plan.ts';
import type { Program } from '../../program/program.ts';
import type { Issue, Parsed } from '../../value/issue.ts';

export interface PlanOptions {
  readonly offer: Offer;
  /** The name that problems of a draft are told with. */
  readonly file: string;
  /** Asks the model; a reason where it did not answer. */
  readonly ask: (prompt: string) => Promise<ModelAnswer>;
  readonly compile: (text: string, file: string) => Parsed<Program>;
  /** What of its properties does not hold, or cannot be proved. */
  readonly prove?: (program: Program, file: string) => readonly Issue[];
}

export type ModelAnswer =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly reason: string };

/** `attempts` is how often the model was asked. */
export type Plan =
  | {
      readonly ok: true;
      readonly text: string;
      readonly program: Program;
      readonly issues: readonly Issue[];
      readonly attempts: number;
    }
  /** The last draft, and what is wrong with it. */
  | { readonly ok: false; readonly text: string; readonly issues: readonly Issue[]; readonly attempts: number }
  /** The model did not answer. */
  | { readonly ok: false; readonly unanswered: string; readonly attempts: number };

/** Of a draft that is wrong a model learns so often what is. */
const RETRIES_MAX = 2;

/** A program that does what `intent` says, or the last draft of one with its problems. Nothing of it is run. */
export async function planProgram(intent: string, options: PlanOptions): Promise<Plan> {
  const question = planPrompt(intent, options.offer);
  let prompt = question;
  for (let attempts = 1; ; attempts += 1) {
    const answer = await options.ask(prompt);
    if (!answer.ok) return { ok: false, unanswered: answer.reason, attempts };
    const text = draftIn(answer.text);
    const { program, issues } = judged(text, options);
    if (program !== undefined) return { ok: true, text, program, issues, attempts };
    if (attempts > RETRIES_MAX) return { ok: false, text, issues, attempts };
    prompt = planAgain(question, text, issues);
  }
}

function judged(
  text: string,
  { file, compile, prove }: PlanOptions,
): { readonly program?: Program; readonly issues: readonly Issue[] } {
  const fault = draftFault(text, file);
  if (fault !== undefined) return { issues: [fault] };
  const parsed = compile(text, file);
  if (!parsed.ok) return parsed;
  const issues = [...parsed.issues, ...(prove?.(parsed.value, file) ?? [])];
  return issues.some(({ severity }) => severity === 'error') ? { issues } : { program: parsed.value, issues };
}
