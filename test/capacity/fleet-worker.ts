// A process of its own in a fleet: takes slots, says so, and holds them for as long as it lives. Takes one more when it is
// told to. It never takes any while the fleet cannot be asked.

import { Member } from "./fleet.js";

const [url = "", name = "", slots = "0"] = process.argv.slice(2);
const member = new Member({ url, name });
function take(count: number): void {
  const waiting = setInterval(() => {
    if (!member.shared.available) return;
    clearInterval(waiting);
    const taken = Array.from({ length: count }, () => member.limiter.acquire({ key: "", tokens: 0 }));
    void Promise.all(taken).then(() => process.send?.("taken"));
  }, 10);
}
take(Number(slots));
process.on("message", () => take(1));
process.on("disconnect", () => process.exit());
