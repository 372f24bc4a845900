/** What identifies a configuration, and what the log holds of it, so that its decisions can be made again. */

import { type Digest, digestOf } from '../value/digest.ts';
import { type JsonObject, isJsonObject } from '../value/json.ts';

/**
 * A configuration as the log holds it: of each server only the digest of what is written about it. No decision reads
 * more, and how a server is started is nobody's affair who reads the log.
 */
export function recordedConfiguration(data: JsonObject): JsonObject {
  const { servers } = data;
  if (!isJsonObject(servers)) return data;
  const digests = Object.entries(servers).map(([id, server]) => [id, digestOf(server)] as const);
  return { ...data, servers: Object.fromEntries(digests) };
}

/** The digest that identifies a configuration: that of `recordedConfiguration`, so that it covers all that is written. */
export function configurationDigest(data: JsonObject): Digest {
  return digestOf(recordedConfiguration(data));
}
