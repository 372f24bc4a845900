/** What a model's answer says, where it may say only some things. */

import { checkValue } from '../schema/schema.ts';
import { type JsonObject, type JsonValue, parseJson } from '../value/json.ts';
import type { Filled } from './template.ts';

/** Reads answers: one of `outputs`, JSON of `schema`, or any text. White space around an answer is not part of it. */
export function readerOfAnswers({
  outputs,
  schema,
}: {
  readonly outputs?: readonly string[];
  readonly schema?: JsonObject;
}): (answer: JsonValue) => Filled<JsonValue> {
  return (answer) => {
    if (typeof answer !== 'string') return refused('it is no text');
    const text = answer.trim();
    if (outputs !== undefined)
      return outputs.includes(text) ? { ok: true, value: text } : refused('it is none of `outputs`');
    if (schema === undefined) return { ok: true, value: answer };
    const parsed = parseJson(text);
    if (!parsed.ok) return refused('it is not JSON');
    const [problem] = checkValue(schema, parsed.value);
    return problem === undefined
      ? { ok: true, value: parsed.value }
      : refused(`it ${problem.message} at \`${problem.pointer}\``);
  };
}

function refused(message: string): Filled<never> {
  return { ok: false, message: `the model's answer is refused: ${message}` };
}
