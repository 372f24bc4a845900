/** What is different in a tool's definition: the parts, in words, and every value that changed. */

import { canonicalText } from '../../value/canonical.ts';
import { isJsonObject } from '../../value/json.ts';
import type { JsonObject, JsonValue } from '../../value/json.ts';
import { compareSchemas } from './schema-change.ts';
import { pinnedPart } from '../tool/tool.ts';
import type { ToolDefinition } from '../tool/tool.ts';

/** One value that differs. */
export interface ValueChange {
  /** Into the definition, as a JSON pointer (RFC 6901). */
  readonly path: string;
  /** Absent where there is nothing. */
  readonly before?: JsonValue;
  readonly after?: JsonValue;
}

/** Of many changes as many are listed; the digest tells of all. */
const VALUES_MAX = 200;

/** What changed, as clauses such as "its description changed"; none when the definitions are equal. */
export function changesOf(before: ToolDefinition, after: ToolDefinition): readonly string[] {
  if (before.digest === after.digest) return [];
  const [from, to] = [pinnedPart(before.raw), pinnedPart(after.raw)];
  const clauses: string[] = [];
  for (const part of new Set([...Object.keys(from), ...Object.keys(to)])) {
    const clause = changeOf(part, own(from, part), own(to, part));
    if (clause !== undefined) clauses.push(clause);
  }
  return clauses;
}

/** The clauses in one. */
export function changeText(changes: readonly string[]): string {
  return changes.join(' and ');
}

function changeOf(part: string, before: JsonValue | undefined, after: JsonValue | undefined): string | undefined {
  if (isSame(before, after)) return undefined;
  if (part !== 'inputSchema' && part !== 'outputSchema') {
    const verb = before === undefined ? 'was added' : after === undefined ? 'was removed' : 'changed';
    return part === 'annotations'
      ? `its annotations ${after === undefined ? 'were removed' : 'changed'}`
      : `its ${part} ${verb}`;
  }
  const name = part === 'inputSchema' ? 'its input schema' : 'its output schema';
  const change = compareSchemas(before ?? true, after ?? true);
  if (change === 'same') return undefined;
  return change === 'changed' || change === 'reworded'
    ? `${name} ${change === 'changed' ? 'changed' : 'was reworded'}`
    : `${name} was ${change}`;
}

/** Every value that differs, in the order of the definitions, at most some hundred of them. */
export function valueChanges(before: ToolDefinition, after: ToolDefinition): readonly ValueChange[] {
  const changes: ValueChange[] = [];
  collect(pinnedPart(before.raw), pinnedPart(after.raw), '', changes);
  return changes;
}

function collect(before: JsonValue, after: JsonValue, path: string, changes: ValueChange[]): void {
  if (isSame(before, after) || changes.length >= VALUES_MAX) return;
  if (!isJsonObject(before) || !isJsonObject(after)) {
    changes.push({ path, before, after });
    return;
  }
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const inner = `${path}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    const [from, to] = [own(before, key), own(after, key)];
    if (from !== undefined && to !== undefined) collect(from, to, inner, changes);
    else if (changes.length < VALUES_MAX) {
      changes.push({
        path: inner,
        ...(from === undefined ? {} : { before: from }),
        ...(to === undefined ? {} : { after: to }),
      });
    }
  }
}

function isSame(one: JsonValue | undefined, other: JsonValue | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return canonicalText(one) === canonicalText(other);
}

function own(object: JsonObject, key: string): JsonValue | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}
