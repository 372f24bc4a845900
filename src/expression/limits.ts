/** How large an expression and how long its evaluation may be. */

/**
 * Fuel of one evaluation when the caller names none. One unit is about one node, one iteration, or 32 characters
 * looked at: 20 to 50 ns each, so that no evaluation takes longer than some tens of milliseconds.
 */
export const FUEL_DEFAULT = 1_000_000;

/** UTF-16 units of source. */
export const SOURCE_LENGTH_MAX = 262_144;

/** Brackets, calls and prefix operators inside one another. Long chains of one operator count once. */
export const NESTING_MAX = 150;

/** Left operands above which a chain is typed from the bottom, so that its length costs no stack. */
export const CHAIN_PLAIN_MAX = 16;

/** Elements of one list or map literal. */
export const LITERAL_ELEMENTS_MAX = 20_000;

/** Syntax nodes of one expression. */
export const NODES_MAX = 200_000;
