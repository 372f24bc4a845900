/** Those who sign for the policy itself, and those who forge that: exceptions to rules, and reloads that wait. */

import { breakGlass, endException } from '../../src/authority/exception.ts';
import { draft } from '../../src/authority/draft.ts';
import { type WaitingReload, approveReload, waitingReloads, withdrawReload } from '../../src/authority/reload.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { fromUtf8, toBase64, utf8 } from '../../src/value/encoding.ts';
import { parseJson } from '../../src/value/json.ts';
import type { World } from '../../src/world/world.ts';
import { type Person, TERMS, keyOf, signerOf } from './bank.ts';
import type { Place } from './place.ts';
import type { Random } from './random.ts';
import type { GlassAct, GlassBreaking, ReloadAnswer } from './scenario.ts';

interface Seal {
  readonly by: string;
  readonly key: string;
  readonly sign: (text: string) => string;
}

function sealOf(by: string, signer: string, key = keyOf(signer), rewrite = (text: string): string => text): Seal {
  return { by, key, sign: (text) => toBase64(signerOf(signer).sign(utf8(rewrite(text)))) };
}

/** `signer` is who holds the key that counts for `by`. */
function sealing(how: (GlassBreaking & ReloadAnswer) | 'honest', by: Person, signer: string): Seal {
  switch (how) {
    case 'honest':
      return sealOf(by, signer);
    case 'wrong-key':
      return sealOf(by, 'mallory', keyOf(signer));
    case 'other-name':
      return sealOf(by, by === 'ann' ? 'eve' : 'ann');
    case 'other-text':
      return sealOf(by, signer, keyOf(signer), (text) => text.replace('v1\nsha256:', 'v1\nsha256:0'));
    case 'no-principal':
      return sealOf('mallory', 'mallory');
  }
}

/** Answers a reload that waits, when there is one. */
export async function answerReload(
  place: Place,
  ledger: Ledger,
  world: World,
  { by, answer, random }: { readonly by: Person; readonly answer: ReloadAnswer; readonly random: Random },
): Promise<void> {
  const waiting = await waitingReloads(ledger);
  const one = waiting[random.below(Math.max(1, waiting.length))];
  if (one === undefined) return;
  place.note(`${by} answers ${one.id} with ${answer}`);
  if (answer === 'refuse') {
    await withdrawReload(ledger, world, { id: one.id, by, reason: 'no' });
    return;
  }
  const seal = sealing(answer === 'approve' ? 'honest' : answer, by, holderOf(one, by));
  const ended = await approveReload(ledger, world, one, seal);
  if (ended) place.figures[answer === 'approve' ? 'reloads approved' : 'false signatures'] += 1;
}

/** Bob has the key that the policy in force names. */
function holderOf({ approvers }: WaitingReload, by: Person): string {
  return by === 'bob' && approvers.get(by) === keyOf('bob later') ? 'bob later' : by;
}

export async function breakTheGlass(place: Place, ledger: Ledger, world: World, act: GlassAct): Promise<void> {
  const { by, how, rule, policy, lastsMs } = act;
  place.note(`${by} sets ${rule} of ${policy} aside for ${lastsMs} ms: ${how}`);
  if (how === 'again') return repeatException(place, ledger, world);
  const holder = by === 'bob' && policy === 'rekeyed' ? 'bob later' : by;
  const seal = sealing(how === 'sign' ? 'honest' : how, by, holder);
  const rules = [TERMS[policy].denying[rule]];
  await breakGlass(ledger, world, { ...seal, rules, reason: 'needed', expires: world.now() + lastsMs });
  place.figures[how === 'sign' ? 'exceptions' : 'false signatures'] += 1;
}

/** Writes the last exception that ended once more, with its signature. */
async function repeatException({ disk, history }: Place, ledger: Ledger, world: World): Promise<void> {
  const last = disk.leaves.findLast((leaf) => fromUtf8(leaf)?.includes('"type":"policy.exception"') === true);
  const parsed = last === undefined ? undefined : parseJson(last);
  if (parsed?.ok !== true) return;
  const { v: _v, log: _log, id: _id, at: _at, type: _type, ...fields } = parsed.value as Record<string, string>;
  if (history.exceptions.has(fields['exception'] ?? '')) return;
  await ledger.append({ entries: [draft(world, 'policy.exception', fields)] });
}

/** Ends an exception that stands, whether it has expired or not. */
export async function endAnException({ history }: Place, ledger: Ledger, world: World, random: Random): Promise<void> {
  const ids = [...history.exceptions.keys()];
  const id = ids[random.below(Math.max(1, ids.length))];
  if (id !== undefined) await endException(ledger, world, { id, by: 'os:somebody', reason: 'over' });
}
