/** Defects of what stands around the decision: exceptions to rules, changes that wait for a signature, floods. */

import { type Mutant, one } from './mutant.ts';

const EXCEPTION = 'authority/exception.ts';
const RELOADING = 'authority/reloading.ts';
const FLOOD = 'authority/flood.ts';

export const POLICY_MUTANTS: readonly Mutant[] = [
  {
    name: 'do not check signatures of exceptions',
    breaks: ['excepted'],
    replacements: one(
      EXCEPTION,
      'if (!isSigned({ type, log, fields: entry }, key, verifyEd25519)) return undefined;',
      'if (key === "") return undefined;',
    ),
  },
  {
    name: 'check signatures of exceptions under the key that they name themselves',
    breaks: ['excepted'],
    replacements: one(
      EXCEPTION,
      "const key = signers.principals?.get(by)?.key ?? '';",
      "const key = typeof entry['key'] === 'string' ? entry['key'] : '';",
    ),
  },
  {
    name: 'use an exception that expired before the commit',
    breaks: ['excepted'],
    replacements: one(
      'authority/compose.ts',
      'if (version !== (excepted?.version ?? 0) || facts.at >= (excepted?.until ?? Number.POSITIVE_INFINITY)) {',
      'if (version !== (excepted?.version ?? 0)) {',
    ),
  },
  {
    name: 'let exceptions be for ever',
    breaks: ['excepted'],
    replacements: [
      ...one(EXCEPTION, 'if (at >= expiryOf(entry)) return [];', ''),
      ...one(
        EXCEPTION,
        'until: Math.min(...exceptions.map(({ expires }) => expires), Number.POSITIVE_INFINITY),',
        'until: Number.POSITIVE_INFINITY,',
      ),
    ],
  },
  {
    name: 'look at exceptions before the transaction only',
    breaks: ['excepted', 'decided-again'],
    replacements: one(
      'authority/compose.ts',
      'if (version !== (excepted?.version ?? 0) || facts.at >=',
      'if (version < (excepted?.version ?? 0) || facts.at >=',
    ),
  },
  {
    name: 'take an exception for whatever has the name of its rule',
    breaks: ['excepted'],
    replacements: one(
      'policy/approval/exception.ts',
      'if (rule === undefined || lifting.has(rule) || ruleDigest(rule) !== digest) continue;',
      'if (rule === undefined || lifting.has(rule) || digest === "") continue;',
    ),
  },
  {
    name: 'take a change that may allow more at once',
    breaks: ['approved-reload'],
    replacements: one(
      RELOADING,
      '      return false;\n    },\n    withdraw,',
      '      return true;\n    },\n    withdraw,',
    ),
  },
  {
    name: 'go on under the policy of the start',
    breaks: ['decided-in-force'],
    replacements: one(
      'authority/authority.ts',
      'this.#state = state;\n    const fields',
      "if (this.#state.kind === 'invalid') this.#state = state;\n    const fields",
    ),
  },
  {
    name: 'believe whoever approves a change',
    breaks: ['approved-reload'],
    replacements: one('authority/reload.ts', 'return genuine ?', 'return genuine || by !== "" ?'),
  },
  {
    name: 'take whatever the file says when a change was approved',
    breaks: ['approved-reload'],
    replacements: one(
      RELOADING,
      'return file.configuration?.digest === digest ? { file, approved: id } : { file };',
      'return { file, approved: id };',
    ),
  },
  {
    name: 'record every denial',
    breaks: ['floods-bounded'],
    replacements: one(FLOOD, 'const isEntry = span.taken < DENIALS_MAX;', 'const isEntry = span.taken <= DENIALS_MAX;'),
  },
  {
    name: 'forget what was counted at the end',
    breaks: ['floods-counted'],
    replacements: one(FLOOD, "if (which === 'all') for (const [key, span] of running) end(key, span);", ''),
  },
  {
    name: 'count a denial once for each composition of its transaction',
    breaks: ['floods-counted', 'floods-recorded', 'decided-again'],
    replacements: one(FLOOD, 'if (placed !== undefined) release(placed);', 'if (placed !== undefined) land(placed);'),
  },
  {
    name: 'count a denial that was not told',
    breaks: ['floods-counted', 'floods-recorded', 'decided-again'],
    replacements: one(
      FLOOD,
      'if (placed !== undefined) release(placed, isUnsure);',
      'if (placed !== undefined) land(placed); void isUnsure;',
    ),
  },
];
