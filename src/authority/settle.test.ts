import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openWorld } from '../../test/authority-world.ts';
import { compilePolicy } from '../policy/compile.ts';
import { parseConfiguration } from '../policy/document/configuration.ts';
import { defineTool } from '../policy/tool/tool.ts';
import type { JsonObject } from '../value/json.ts';
import { settle } from './settle.ts';

const TEXT = 'interlock: 1\nservers: { bank: { command: x } }\nrules: [{ allow: bank.* }]\n';
const ID = { type: 'object', required: ['id'], properties: { id: { type: 'string' } } };

test('an output that the tool could not have given settles nothing, whatever is offered by now [R-settle-output]', async () => {
  const policyOf = (outputSchema: JsonObject) => {
    const parsed = parseConfiguration(TEXT, { file: 'interlock.yaml', environment: {} });
    const defined = defineTool('bank', { name: 'pay', inputSchema: { type: 'object' }, outputSchema });
    assert.ok(parsed.ok && defined.ok);
    const { policy } = compilePolicy(parsed.value, new Map([['bank.pay', defined.tool]]));
    return policy ?? assert.fail();
  };
  const world = await openWorld({ policy: policyOf(ID) });
  const lost = await world.call('bank.pay', {}, { perform: async () => ({ kind: 'unknown', reason: 'lost' }) });
  await world.authority.load(policyOf({ type: 'object' }));
  const as = async (output?: JsonObject): Promise<string> => {
    const said = output === undefined ? {} : { output };
    const order = { call: lost.call, as: 'executed', by: 'os:ann', reason: 'looked', ...said } as const;
    const settled = await settle(world.ledger, world, order);
    return settled.ok ? 'ok' : settled.code;
  };
  assert.equal(await as({ structuredContent: { id: 7 } }), 'output-invalid');
  assert.equal(await as({ content: [] }), 'output-invalid');
  assert.equal((await world.ledger.call(lost.call))?.state, 'unknown');
  assert.equal(await as({ structuredContent: { id: 'p_1' } }), 'ok');
});
