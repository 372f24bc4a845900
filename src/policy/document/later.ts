/**
 * What the format has and this version does not do yet. Such a key is refused, so that nothing written is silently
 * ignored; it becomes available by moving from its list here to the parsers of its section.
 */

export const LATER = {
  top: ['builtin'],
  server: ['url', 'headers'],
  tool: ['output', 'default'],
  downstreamKey: ['header'],
  guard: ['url', 'argv'],
  guardPath: [],
  principal: [],
  rule: [],
  clock: [],
  disk: [],
  approvals: [],
} as const;
