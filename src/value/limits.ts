/** Sizes that hold everywhere: what is larger is refused, never cut. */

/** The largest leaf of the ledger, in bytes: entry bundles of C2SP tlog-tiles carry a 16-bit length. */
export const ENTRY_BYTES_MAX = 65_535;

/** No caller may raise `JsonLimits.depthMax` above this; it keeps recursion far from the end of the stack. */
export const DEPTH_CEILING = 1_000;

/** What one JSON document may cost. */
export interface JsonLimits {
  /** Arrays and objects inside each other; `[]` has depth 1. At most `DEPTH_CEILING`. */
  readonly depthMax: number;
  /** Bytes of the document in UTF-8. */
  readonly bytesMax: number;
  /** Values of any kind in the document, containers included, keys not. */
  readonly nodesMax: number;
}

export const JSON_LIMITS: JsonLimits = { depthMax: 128, bytesMax: 16 * 1024 * 1024, nodesMax: 1_000_000 };
