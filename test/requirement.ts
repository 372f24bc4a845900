/** What the README and the docs promise, each with an id that a test's name carries and a page cites. */

import { PROGRAM_REQUIREMENTS } from './requirement-program.ts';
import { MODEL_REQUIREMENTS } from './requirement-model.ts';
import { RUN_REQUIREMENTS } from './requirement-run.ts';
import { PROGRAM_TOOL_REQUIREMENTS } from './requirement-program-tools.ts';

export interface Requirement {
  /** `R-` and kebab-case words. It is never used again for another promise. */
  readonly id: `R-${string}`;
  readonly text: string;
  /** The pages that make the promise; each cites the id in an HTML comment beside the claim. */
  readonly where: readonly string[];
}

export const REQUIREMENTS: readonly Requirement[] = [
  {
    id: 'R-floors',
    text: 'a folder imports only the folders its row names, and no file imports itself by way of others',
    where: ['docs/architecture.md'],
  },
  {
    id: 'R-pure-centre',
    text: 'floors 0 to 2 read no platform, no clock and no randomness, and never await',
    where: ['docs/architecture.md'],
  },
  {
    id: 'R-powers',
    text: 'every power of the platform is used only in its homes, and code is generated nowhere',
    where: ['docs/architecture.md'],
  },
  {
    id: 'R-old-node',
    text: 'on a Node that is too old the command prints one clear line and exits 2',
    where: ['CONTRIBUTING.md'],
  },
  {
    id: 'R-default-deny',
    text: 'without a policy that allows it a call is denied, and an error never widens access',
    where: ['README.md'],
  },
  {
    id: 'R-at-most-once',
    text: 'a call with a key has its effect at most once through any crash, and what is not known is called unknown',
    where: ['README.md'],
  },
  {
    id: 'R-crash-windows',
    text: 'killed at any point of a call, the ledger opens again as the table of points says, with one effect at most',
    where: ['docs/ledger.md'],
  },
  {
    id: 'R-keys',
    text: 'under a key every situation has one answer, and nothing is run that may have run before',
    where: ['docs/ledger.md'],
  },
  {
    id: 'R-overdue',
    text: 'a call of a living process is declared unknown only after its deadline and a grace, on both clocks',
    where: ['docs/ledger.md'],
  },
  {
    id: 'R-sealed',
    text: 'no entry says a value that is declared personal or found to be an e-mail address, phone number or IBAN',
    where: ['docs/ledger.md'],
  },
  {
    id: 'R-secrets',
    text: 'no file of the data directory, export or output of a command says a secret that is declared or found',
    where: ['README.md', 'docs/ledger.md'],
  },
  {
    id: 'R-subject-check',
    text: 'a call whose claimed subject is to be checked is carried out only after the tool that knows has confirmed it',
    where: ['docs/policy.md'],
  },
  {
    id: 'R-attested',
    text: 'what conditions said of values that are sealed or secret is recorded, checked while they open, and what is above it always',
    where: ['docs/ledger.md'],
  },
  {
    id: 'R-references',
    text: 'what is hidden of a result reaches no caller, and its reference opens for the same principal and session only',
    where: ['docs/ledger.md'],
  },
  {
    id: 'R-erasure',
    text: 'once a person is erased, no file of the data directory and no later export says what was kept of it',
    where: ['README.md', 'docs/ledger.md'],
  },
  {
    id: 'R-epoch',
    text: 'after a rotation nothing opens with the key before it, and everything that was kept opens with the new one',
    where: ['docs/ledger.md'],
  },
  {
    id: 'R-retention',
    text: 'a key protects for ever: once its result was kept for its time, a repeat is answered `erased` and not run',
    where: ['docs/ledger.md'],
  },
  {
    id: 'R-classification',
    text: 'how a call ended is judged by its transport: not-started only where no byte can have left',
    where: ['docs/ledger.md'],
  },
  {
    id: 'R-probe',
    text: 'a call of unknown outcome is settled by its probe as executed, or as not executed once its effect cannot come',
    where: ['docs/ledger.md'],
  },
  {
    id: 'R-settle-output',
    text: 'an output that the schema of its tool does not take settles no call',
    where: ['docs/ledger.md'],
  },
  {
    id: 'R-downstream-key',
    text: 'a tool gets one key for all attempts of a call, and another for every other call',
    where: ['docs/ledger.md'],
  },
  {
    id: 'R-own-room',
    text: 'a call is sent again in the slots and the reservation of its own lost attempt, and in those of no other',
    where: ['docs/ledger.md'],
  },
  {
    id: 'R-retry',
    text: 'a call makes another attempt by itself only where nothing can happen twice',
    where: ['docs/ledger.md'],
  },
  {
    id: 'R-durable',
    text: 'nothing is sent before its intent is durable, and no success is answered before its outcome is',
    where: ['README.md'],
  },
  {
    id: 'R-tamper-evident',
    text: 'a changed byte of the log is found with nothing but the public key',
    where: ['README.md'],
  },
  {
    id: 'R-export',
    text: 'a changed, missing or additional file of an export is found',
    where: ['docs/ledger.md'],
  },
  {
    id: 'R-real-target',
    text: 'a guarded path is decided on, recorded and sent as its real target',
    where: ['README.md'],
  },
  {
    id: 'R-simulated',
    text: 'no simulated world, whatever is killed, paused, lost or forged in it, breaks a promise of the ledger',
    where: ['docs/ledger.md'],
  },
  {
    id: 'R-floods',
    text: 'of a flood of denials the first 20 a minute of a principal and code are entries, and one entry counts the others',
    where: ['docs/ledger.md'],
  },
  {
    id: 'R-outcome-room',
    text: 'an outcome that finds no room or no turn is tried again until the deadline of its call',
    where: ['docs/ledger.md'],
  },
  {
    id: 'R-budgets',
    text: 'a budget for m calls lets exactly m of any number of concurrent callers through, across processes',
    where: ['README.md', 'docs/ledger.md'],
  },
  {
    id: 'R-elicit',
    text: 'the person at an interactive host answers for the requester only, plainly, in time, and to a question of ours',
    where: ['docs/policy.md', 'docs/gateway.md'],
  },
  {
    id: 'R-claimed',
    text: 'an approved call is decided again and carried out once by any live gateway that can, asked for it or not',
    where: ['docs/ledger.md'],
  },
  {
    id: 'R-approval',
    text: 'only a signature of an approver over exactly this call approves it, and it is decided again before it runs',
    where: ['README.md', 'docs/ledger.md'],
  },
  {
    id: 'R-standing',
    text: 'a standing rule lifts the rules that asked, for exactly the calls it was derived for, until its end',
    where: ['docs/policy.md'],
  },
  {
    id: 'R-kill',
    text: 'a kill switch stops the next decision in every process',
    where: ['README.md', 'docs/ledger.md'],
  },
  {
    id: 'R-shadow',
    text: 'a shadow is decided beside the policy, its differences are recorded, and it neither stops nor allows a call',
    where: ['docs/policy.md'],
  },
  {
    id: 'R-pins',
    text: 'a tool whose definition changed is denied until a person reviews it, and a host never sees the change before',
    where: ['README.md', 'docs/policy.md'],
  },
  {
    id: 'R-first-policy',
    text: 'the first policy that `interlock init` writes allows nothing that nobody confirmed, whatever servers say',
    where: ['docs/commands.md'],
  },
  {
    id: 'R-receipt',
    text: 'a receipt shows with nothing but a key that the entries of a call are in the signed log',
    where: ['docs/ledger.md'],
  },
  {
    id: 'R-net-spellings',
    text: 'no spelling of a private address, nor a name that leads to one, is dialled unless the call site allows private addresses',
    where: ['docs/network.md'],
  },
  {
    id: 'R-witness',
    text: 'an export carries the cosignature of a witness that was asked, and a verifier with its key checks it',
    where: ['docs/ledger.md'],
  },
  {
    id: 'R-witness-running',
    text: 'a running gateway has its checkpoints cosigned and keeps the cosignatures, and no call waits for a witness',
    where: ['docs/ledger.md'],
  },
  {
    id: 'R-go',
    text: "Go's libraries for transparency logs verify an export as it is: signature, tiles, entries, growth",
    where: ['docs/ledger.md'],
  },
  {
    id: 'R-key-rotation',
    text: 'a log goes on under a new key in every process, and whoever has its first key verifies all of it',
    where: ['docs/ledger.md'],
  },
  {
    id: 'R-signers',
    text: 'a verifier follows the keys of a log from the one it trusts, and no stranger, nor a revoked key, brings or signs anything',
    where: ['docs/ledger.md'],
  },
  {
    id: 'R-page-verifies',
    text: 'the verifier of bundles runs in a browser, from one script, and gives the report that it gives here',
    where: ['docs/ledger.md'],
  },
  {
    id: 'R-clock',
    text: 'a clock that jumped denies writes in every process until a person accepts it',
    where: ['docs/policy.md'],
  },
  {
    id: 'R-call-in-error',
    text: 'a JSON-RPC error that answers a call names the call in its data',
    where: ['docs/gateway.md'],
  },
  {
    id: 'R-get-call',
    text: 'a caller can ask after its own calls, and after no others',
    where: ['docs/gateway.md'],
  },
  {
    id: 'R-widening',
    text: 'where there are approvers, a change at run time that may allow more waits for the signature of one of them',
    where: ['README.md', 'docs/policy.md'],
  },
  {
    id: 'R-break-glass',
    text: 'only an approver sets rules aside, for a while: with a signature, for rules as they were, and for no other gate',
    where: ['docs/policy.md'],
  },
  {
    id: 'R-disk-fault',
    text: 'a write or fsync that fails stops the ledger with its reason, and nothing that was acknowledged is lost',
    where: ['docs/ledger.md'],
  },
  {
    id: 'R-power-loss',
    text: 'whatever a loss of power leaves of the WAL, the log opens as a prefix with all that was acknowledged',
    where: ['docs/ledger.md'],
  },
  {
    id: 'R-disk-full',
    text: 'on a full disk nothing is half written: what has no room is refused, and the ledger goes on when there is room',
    where: ['docs/ledger.md'],
  },
  {
    id: 'R-reserve',
    text: 'with less room than the reserve no call is decided, and how calls end is still recorded',
    where: ['docs/ledger.md'],
  },
  {
    id: 'R-network-disk',
    text: 'a data directory on a network file system is refused',
    where: ['docs/ledger.md'],
  },
  {
    id: 'R-rollback',
    text: 'a data directory restored from a backup does not open until a person accepts it, and then writes ask',
    where: ['docs/ledger.md'],
  },
  {
    id: 'R-deep',
    text: 'every call is decided again from the log alone, every entry folded again and compared with the tables',
    where: ['README.md', 'docs/ledger.md'],
  },
  {
    id: 'R-tampering',
    text: 'each tampering of the table in docs/ledger.md is reported with its code and its entry',
    where: ['docs/ledger.md'],
  },
  {
    id: 'R-replay',
    text: 'a replay takes every outcome from the log, each for its own call, and never makes a call',
    where: ['docs/ledger.md'],
  },
  {
    id: 'R-report',
    text: 'a report tells of each call what was asked, decided and done, with every figure counted from the entries',
    where: ['docs/report.md'],
  },
  {
    id: 'R-report-verifies',
    text: 'a report verifies itself in a browser, and a change of its evidence or of what it shows is found',
    where: ['README.md', 'docs/report.md'],
  },
  {
    id: 'R-report-inert',
    text: 'nothing that agents or tools said runs in a report, and the page makes no request',
    where: ['docs/report.md'],
  },
  {
    id: 'R-disclosed',
    text: 'a receipt opens the sealed values that were chosen, each checked against its entry, and to whom is recorded',
    where: ['docs/ledger.md'],
  },
  {
    id: 'R-drift',
    text: 'a session is compared with earlier ones by sets and ranges of what the entries say, erased subjects or not',
    where: ['docs/ledger.md'],
  },
  {
    id: 'R-diff',
    text: 'a changed policy is compared on recorded calls, and the exit code tells when a denial becomes an allowance',
    where: ['docs/policy.md'],
  },
  {
    id: 'R-learn',
    text: 'a learned policy loads, allows every call that was made, and no call that was not; nothing sealed is in it',
    where: ['docs/policy.md'],
  },
  {
    id: 'R-telemetry',
    text: 'telemetry tells calls by names, states and codes, never a value of one, and slows, fails and keeps no call',
    where: ['docs/telemetry.md'],
  },
  {
    id: 'R-json-lines',
    text: 'the log as JSON lines waits for a slow reader within bounded memory, and ends quietly with one that leaves',
    where: ['docs/telemetry.md'],
  },
  {
    id: 'R-bad-lines',
    text: 'each bad line gets one error, is recorded, and the connection goes on',
    where: ['README.md'],
  },
  {
    id: 'R-policy-corpus',
    text: 'the corpus of cases is decided as it says, and has every code that a decision can have at least twice',
    where: ['docs/policy-cases.md'],
  },
  ...PROGRAM_REQUIREMENTS,
  ...MODEL_REQUIREMENTS,
  ...RUN_REQUIREMENTS,
  ...PROGRAM_TOOL_REQUIREMENTS,
];
