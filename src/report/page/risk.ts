/**
 * What the entries show of the OWASP Top 10 for Agentic Applications 2026. A risk is listed with the entries that show an
 * attempt, a weakness or a stop of that kind, and never without any. Pure.
 */

import { memberOf, textIn } from './fields.ts';
import { type Recorded, decisionIn } from './story.ts';

interface Sign {
  /** What an entry shows by being there. */
  readonly shows: string;
  /** Codes of denials that are such a sign. */
  readonly codes?: readonly string[];
  /** Types of entries that are. */
  readonly types?: readonly string[];
  readonly test?: (entry: Recorded) => boolean;
}

interface Risk {
  readonly id: string;
  readonly name: string;
  readonly signs: readonly Sign[];
}

/** Names: https://genai.owasp.org/resource/owasp-top-10-for-agentic-applications-for-2026/ */
const RISKS: readonly Risk[] = [
  {
    id: 'ASI02',
    name: 'Tool Misuse and Exploitation',
    signs: [
      { shows: 'a tool asked for beyond what the rules allow', codes: ['no-rule', 'denied-by-rule'] },
      { shows: 'a path that leads where it must not', codes: ['guard-refused'] },
      { shows: 'arguments that the tool does not take', codes: ['schema-mismatch', 'contract-violation'] },
      { shows: 'a message that is no well-formed call', codes: ['malformed'] },
      { shows: 'another call under the key of an earlier one', codes: ['key-conflict'] },
      { shows: 'a secret in a call', codes: ['secret-found', 'secret-cannot-wait'] },
    ],
  },
  {
    id: 'ASI03',
    name: 'Identity and Privilege Abuse',
    signs: [
      { shows: 'somebody whom the policy does not know', codes: ['unknown-principal'] },
      { shows: 'a key of another principal', codes: ['key-taken'] },
      { shows: 'a tool that is not for this principal', codes: ['unknown-tool'] },
      { shows: 'rules that a person set aside', types: ['policy.exception'] },
    ],
  },
  {
    id: 'ASI04',
    name: 'Agentic Supply Chain Vulnerabilities',
    signs: [
      { shows: 'a tool that is not what was reviewed', codes: ['pin-changed'] },
      { shows: 'a tool trusted at its first use, reviewed by nobody', types: ['pin.trusted'] },
    ],
  },
  {
    id: 'ASI08',
    name: 'Cascading Failures',
    signs: [
      {
        shows: 'work that went on beyond its limits',
        codes: ['budget-exhausted', 'rate-exceeded', 'concurrency-exceeded', 'depth-exceeded'],
      },
      { shows: 'a call repeated before its end was known', codes: ['twin-unsettled', 'outcome-unknown'] },
      { shows: 'a call of unknown outcome', types: ['call.unknown'] },
      { shows: 'a server or a ledger that did not keep up', codes: ['upstream-unavailable', 'busy', 'ledger-stopped'] },
    ],
  },
  {
    id: 'ASI09',
    name: 'Human-Agent Trust Exploitation',
    signs: [
      { shows: 'a call that a person refused', types: ['call.refused'], codes: ['approval-refused'] },
      {
        shows: 'an approval without a signature',
        test: ({ type, fields }) => type === 'call.approved' && memberOf(fields, 'unsigned') === true,
      },
    ],
  },
  {
    id: 'ASI10',
    name: 'Rogue Agents',
    signs: [{ shows: 'an agent that had to be stopped', codes: ['kill-switch'], types: ['kill.set'] }],
  },
];

export interface FoundRisk {
  readonly id: string;
  readonly name: string;
  readonly signs: readonly { readonly shows: string; readonly entries: readonly Recorded[] }[];
}

/** The risks that `entries` show, in the order of their numbers. */
export function risksIn(entries: readonly Recorded[]): readonly FoundRisk[] {
  return RISKS.flatMap(({ id, name, signs }) => {
    const found = signs
      .map((sign) => ({ shows: sign.shows, entries: entries.filter((entry) => isShown(sign, entry)) }))
      .filter((sign) => sign.entries.length > 0);
    return found.length === 0 ? [] : [{ id, name, signs: found }];
  });
}

function isShown({ codes, types, test }: Sign, entry: Recorded): boolean {
  if (types?.includes(entry.type) === true || test?.(entry) === true) return true;
  return codes?.includes(deniedCode(entry)) === true;
}

/** The code of a denial, or of several that were only counted; empty for other entries. */
function deniedCode(entry: Recorded): string {
  if (entry.type === 'denial.repeated') return textIn(entry.fields, 'code') ?? '';
  return entry.type === 'call.denied' ? decisionIn(entry).code : '';
}

/** The call or the thing that an entry is about. */
export function aboutOf({ fields, type }: Recorded): string {
  return textIn(memberOf(fields, 'tool'), 'name') ?? textIn(fields, 'target') ?? textIn(fields, 'exception') ?? type;
}
