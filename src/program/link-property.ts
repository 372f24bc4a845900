/** Properties over the steps, tools and models that there are: every name looked up, every condition typed. */

import { alike } from '../document/alike.ts';
import { shown } from '../document/reader.ts';
import { type Located, locate } from '../document/source.ts';
import { issueAt } from '../value/issue.ts';
import { type Linking, type Own, linkExpression, refuse } from './link-expression.ts';
import type { Property, PropertyName } from './property.ts';
import type { WrittenProperty } from './written.ts';

/** Before the dot of a name that is a model's. */
const MODEL = 'llm.';

/** What is written; a property with an error is left out. */
export function linkProperties(linking: Linking): readonly Property[] {
  return linking.written.properties.flatMap((written) => linkProperty(linking, written) ?? []);
}

function linkProperty(linking: Linking, written: WrittenProperty): Property | undefined {
  const own: Own = { ...linking, reads: new Set() };
  const name = linkName(linking, written.name);
  const common = { sentence: written.sentence.text, place: locate(written.sentence, 0) };
  if (written.kind === 'at-most') {
    return name && { kind: 'at-most', ...common, name, times: written.times };
  }
  const { when } = written;
  const condition = when && linkExpression(own, when, `the condition of \`${shown(common.sentence)}\``, 'bool');
  const conditional = condition === undefined ? {} : { when: condition };
  switch (written.kind) {
    case 'only-after': {
      const after = linkName(linking, written.after);
      return name && after && { kind: 'only-after', ...common, name, ...conditional, after };
    }
    case 'never-then': {
      const first = linkName(linking, written.first);
      return name && first && { kind: 'never-then', ...common, name, ...conditional, first };
    }
    case 'never':
      return name && { kind: 'never', ...common, name, ...conditional };
  }
}

function linkName(linking: Linking, name: Located): PropertyName | undefined {
  if (/^end\s/u.test(name.text)) return linkSuccess(linking, name);
  if (name.text.startsWith(MODEL)) return linkModel(linking, name);
  return name.text.includes('.') ? linkTool(linking, name) : linkStep(linking, name);
}

/** Other ends come by themselves too, wherever a run is, so that only this one can be spoken of. */
function linkSuccess(linking: Linking, name: Located): PropertyName | undefined {
  for (const step of linking.written.steps.values()) {
    if (step.kind === 'end' && step.status === 'success') return { kind: 'success' };
  }
  return refuse(linking, locate(name, 0), 'step-unknown', 'the property speaks of `end success`, and no step ends so');
}

function linkStep(linking: Linking, name: Located): PropertyName | undefined {
  const { steps } = linking.written;
  if (steps.has(name.text)) return { kind: 'step', id: name.text };
  const near = alike(name.text, steps.keys());
  const hint = near === undefined ? 'a tool is named as `server.tool`' : `did you mean \`${near}\`?`;
  const message = `the property speaks of step \`${shown(name.text)}\`, and there is no such step`;
  return refuse(linking, locate(name, 0), 'step-unknown', message, hint);
}

function linkTool(linking: Linking, name: Located): PropertyName | undefined {
  const { catalog } = linking;
  if (catalog.tool(name.text) !== undefined) return { kind: 'tool', tool: name.text };
  const near = alike(name.text, catalog.tools);
  const hint = near === undefined ? 'a step is named without a dot' : `did you mean \`${near}\`?`;
  const message = `the property speaks of tool \`${shown(name.text)}\`, and there is no such tool`;
  return refuse(linking, locate(name, 0), 'tool-unknown', message, hint);
}

/** A model that the program asks is told of where it is asked. */
function linkModel(linking: Linking, name: Located): PropertyName | undefined {
  const model = name.text.slice(MODEL.length);
  const asked = new Set(modelsOf(linking));
  const has = asked.has(model) ? true : linking.catalog.hasModel(model);
  const near = alike(model, asked);
  const hint = near === undefined ? undefined : `did you mean \`${MODEL}${near}\`?`;
  if (has === false) {
    const message = `the property speaks of the model \`${shown(model)}\`, and there is none`;
    return refuse(linking, locate(name, 0), 'model-unknown', message, hint);
  }
  if (has === undefined) {
    const message = `whether there is a model \`${shown(model)}\` cannot be told, and no step asks it`;
    linking.issues.push(issueAt(linking.file, 'warning', locate(name, 0), 'model-unchecked', message, hint));
  }
  return { kind: 'tool', tool: name.text };
}

function* modelsOf({ written }: Linking): Generator<string, void> {
  for (const step of written.steps.values()) {
    const actions = step.kind === 'parallel' ? [...step.branches.values()] : [step];
    for (const action of actions) if (action.kind === 'llm') yield* action.models.map(({ text }) => text);
  }
}
