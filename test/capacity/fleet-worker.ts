// A process of its own in a fleet: takes slots, says so, and holds them for as long as it lives.

import { Member } from "./fleet.js";

const [url = "", name = "", slots = "0"] = process.argv.slice(2);
const member = new Member({ url, name });
const take = () => member.limiter.acquire({ key: "", tokens: 0 });
const started = setInterval(() => {
  if (!member.shared.available) return;
  clearInterval(started);
  void Promise.all(Array.from({ length: Number(slots) }, take)).then(() => process.send?.("taken"));
}, 10);
process.on("message", () => void take().then(() => process.send?.("taken")));
process.on("disconnect", () => process.exit());
