/** A pair of byte streams as a sequence of lines in both directions, with back-pressure. */

import type { Readable, Writable } from 'node:stream';
import { type Line, lineSplitter } from './framing.ts';

export interface LineEvents {
  line(line: Line): void;
  /** No further line will come. Called once. */
  inputEnded(reason: string): void;
  /** No further line can be sent. Called at most once, and not for what `close` did. */
  outputFailed(reason: string): void;
  /** The other side reads too slowly (`true`) or has caught up (`false`). */
  pressure?(blocked: boolean): void;
}

export interface Lines {
  /** False: refused, and not one byte of it has left or will. True: some of it may have left. */
  send(line: string): boolean;
  /** Stops and resumes the delivery of lines; those of a chunk already read still come. */
  flow(on: boolean): void;
  /** Bytes that wait for the other side to read. */
  readonly pendingBytes: number;
  /** Resolves when all that was sent has been handed over, or cannot be any more. */
  flushed(): Promise<void>;
  /** Neither reads nor writes any more; the streams stay open. */
  close(): void;
}

/** `pendingBytesMax`: beyond it `send` refuses instead of queueing. */
export function openLines(
  input: Readable,
  output: Writable,
  events: LineEvents,
  pendingBytesMax: number = Number.POSITIVE_INFINITY,
): Lines {
  let open = true;
  let reading = true;
  let writing = true;
  const splitter = lineSplitter((line) => {
    if (open) events.line(line);
  });
  const ended = (reason: string): void => {
    if (!reading || !open) return;
    splitter.end();
    reading = false;
    if (open) events.inputEnded(reason);
  };
  const failed = (reason: string): void => {
    if (!writing || !open) return;
    writing = false;
    events.outputFailed(reason);
  };
  input.on('data', (chunk: Uint8Array) => splitter.push(chunk));
  input.once('end', () => ended('it closed its output'));
  input.once('close', () => ended('its output was closed'));
  input.on('error', (error) => ended(`its output cannot be read: ${error.message}`));
  output.once('close', () => failed('its input was closed'));
  output.on('error', (error) => failed(`its input cannot be written: ${error.message}`));
  output.on('drain', () => {
    if (open) events.pressure?.(false);
  });
  return {
    send(line) {
      if (!open || !writing || !output.writable || output.writableLength > pendingBytesMax) return false;
      if (!output.write(`${line}\n`)) events.pressure?.(true);
      return true;
    },
    flow(on) {
      if (on) input.resume();
      else input.pause();
    },
    get pendingBytes() {
      return output.writableLength;
    },
    flushed: () =>
      new Promise((resolve) => {
        if (!writing || !output.writable || output.writableLength === 0) return resolve();
        output.once('close', resolve);
        output.write('', () => resolve());
      }),
    close() {
      open = false;
      input.pause();
    },
  };
}
