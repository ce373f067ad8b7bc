// What Ctrl-C means, once and twice.

import { expect, test } from "vitest";
import { Interruption } from "../../cli/run/interruption.js";

test("Interruption: an echo within half a second is one Ctrl-C, a later one aborts", () => {
  let now = 0;
  const said: string[] = [];
  const interruption = new Interruption(
    () => now,
    (line) => said.push(line),
  );
  interruption.request();
  now = 300;
  interruption.request();
  expect({ drained: interruption.control.drainRequested, aborted: interruption.signal.aborted }).toEqual({
    drained: true,
    aborted: false,
  });
  expect(interruption.firstSignal.aborted).toBe(true);
  now = 900;
  interruption.request();
  expect(interruption.signal.aborted).toBe(true);
  expect(said).toHaveLength(2);
});
