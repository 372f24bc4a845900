/**
 * What a model sees of the arguments that it is asked with: no secret, and a reference in the place of each personal value
 * unless the policy shows it those. What is recorded of the call are its arguments, as of any other.
 */

import { type Ledger, LedgerError } from '../ledger/ledger.ts';
import { modelNameOf } from '../policy/tool/model.ts';
import { type JsonObject, type JsonValue, isJsonObject } from '../value/json.ts';
import type { Dispatch } from './compose.ts';
import type { Surroundings } from './prepare.ts';
import { type OpenSession, declare, project } from './sessions.ts';

/** What is sent in the place of the arguments, or why nothing is. */
export type Sent = { readonly ok: true; readonly args: JsonObject } | { readonly ok: false; readonly reason: string };

/** Answers for every call that leaves; never rejects for what the ledger refuses. */
export type Sending = (dispatch: Dispatch) => Promise<Sent>;

export function sending(
  ledger: Pick<Ledger, 'call'>,
  { vault }: Pick<Surroundings, 'vault'>,
  open: OpenSession,
): Sending {
  const projected = async (dispatch: Dispatch): Promise<Sent> => {
    const { policy, request, secrets, declared, args, call } = dispatch;
    const scope = { principal: request.principal, session: request.run.id };
    const session = await open(policy, scope);
    declare(session, declared.values);
    const model = modelNameOf(request.tool);
    if (model === undefined) return { ok: true, args };
    const clean: JsonValue = secrets.redacted ?? args;
    if (!isJsonObject(clean) || secrets.problem !== undefined || declared.problem !== undefined) {
      return { ok: false, reason: 'what is secret or personal of its arguments cannot be told apart from the rest' };
    }
    if (policy.configuration.personal.shownTo.has(model)) return { ok: true, args: clean };
    const row = await ledger.call(call);
    // Where what is sealed of its arguments lies.
    const position = row?.intent ?? row?.position;
    if (position === undefined) return { ok: false, reason: 'its intent cannot be found' };
    const asking = { call, position, secrets: secrets.places.keys() };
    const seen = project({ vault, scope, session }, asking, clean);
    return isJsonObject(seen) ? { ok: true, args: seen } : { ok: false, reason: 'nothing of its arguments is left' };
  };
  return async (dispatch) => {
    if (dispatch.policy.configuration.models.size === 0) return { ok: true, args: dispatch.args };
    try {
      return await projected(dispatch);
    } catch (error) {
      if (!(error instanceof LedgerError)) throw error;
      return { ok: false, reason: 'what its run was told before cannot be read' };
    }
  };
}
