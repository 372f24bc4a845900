/** What the documentation promises of models. */

import type { Requirement } from './requirement.ts';

export const MODEL_REQUIREMENTS: readonly Requirement[] = [
  {
    id: 'R-model-tool',
    text: 'a model is the tool llm.NAME, denied unless a rule allows it',
    where: ['docs/policy.md'],
  },
  {
    id: 'R-model-host',
    text: 'a host is offered no model and can ask none, whatever the rules allow',
    where: ['docs/policy.md'],
  },
  {
    id: 'R-model-tokens',
    text: 'a call of a model is one request, and its result has the tokens that it took',
    where: ['docs/programs.md'],
  },
  {
    id: 'R-model-key',
    text: 'the key of a model goes to its provider and into no result',
    where: ['docs/programs.md'],
  },
  {
    id: 'R-model-projection',
    text: 'a model is sent no secret, and no personal value that it is not shown',
    where: ['docs/programs.md'],
  },
  {
    id: 'R-model-reference',
    text: 'a reference in the answer of a model opens in the arguments of a later call of the run, and nowhere else',
    where: ['docs/programs.md'],
  },
  {
    id: 'R-plan-checked',
    text: 'a draft is checked like any program, and what is wrong with it goes back to the model twice at most',
    where: ['docs/programs.md'],
  },
];
