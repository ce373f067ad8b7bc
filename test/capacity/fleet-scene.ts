// One test of a fleet: a Redis of its own, the fleet in this process, and processes of their own beside it. Nothing of it
// is shared, so that such tests wait beside one another.

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { test as base } from "vitest";
import { RedisServer } from "../support/redis.js";
import { Fleet, Member, QUOTA } from "./fleet.js";

const WORKER = fileURLToPath(new URL("./fleet-worker.ts", import.meta.url));

/** What one test of a fleet works with. */
export class FleetScene {
  readonly #children: ChildProcess[] = [];
  #fleet: Fleet | undefined;
  #closed = false;

  private constructor(
    private readonly name: string,
    readonly server: RedisServer,
  ) {}

  /** `name` names the quota. */
  static async open(name: string): Promise<FleetScene> {
    return new FleetScene(name, await RedisServer.open());
  }

  /** A fleet of members that differ in this. */
  fleet(...changes: object[]): Fleet {
    const { url } = this.server;
    this.#fleet = new Fleet(changes.map((change) => new Member({ url, name: this.name, ...change })));
    return this.#fleet;
  }

  /** A fleet of so many members that share this quota, when they have all found it. */
  async sharing(count: number, quota: Partial<typeof QUOTA>): Promise<Fleet> {
    const { url } = this.server;
    const member = () => new Member({ url, name: this.name }, { ...QUOTA, ...quota });
    this.#fleet = new Fleet(Array.from({ length: count }, member));
    await this.ready(this.#fleet);
    return this.#fleet;
  }

  /** Comes back when it holds. @throws Error when the test is over meanwhile. */
  async until(holds: () => boolean | Promise<boolean>): Promise<void> {
    while (!(await holds())) {
      if (this.#closed) throw new Error("the test was over before this held");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  ready(fleet: Fleet): Promise<void> {
    return this.until(() => fleet.members.every(({ shared }) => shared.available));
  }

  /** How many slots Redis knows to be held. */
  async held(): Promise<number> {
    return Number(await this.server.command("ZCARD", `bulkhead:test:quota:{${this.name}}:leases`));
  }

  /** Takes all slots in a process of its own, and holds them for as long as it lives. */
  async hoarder(slots: number): Promise<ChildProcess> {
    const child = fork(WORKER, [this.server.url, this.name, String(slots)], { execArgv: ["--import", "tsx"] });
    this.#children.push(child);
    await once(child, "message");
    return child;
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const child of this.#children) child.kill("SIGKILL");
    await this.server.kill(); // Without it everybody is served here, so that nobody waits for ever after a failure.
    await this.#fleet?.stop();
    await this.server.close();
  }
}

/** A test with a scene of its own, which is cleared away after it. */
export const test = base.extend("scene", async ({ task }, { onCleanup }) => {
  const scene = await FleetScene.open(task.id);
  onCleanup(() => scene.close());
  return scene;
});
