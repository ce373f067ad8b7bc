import {
  END,
  type LangGraphRunnableConfig,
  ReducedValue,
  Send,
  START,
  StateGraph,
  StateSchema,
} from "@langchain/langgraph";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { type RouteChoice, RouteError, route, routeAlternatives, routeEnds } from "../../graphs/route.js";

const groups = { work: ["tools", "delegate"], act: ["gate"], done: [END] } as const;
const choosing = (choice: unknown) => route(groups, () => choice as never);
const config: LangGraphRunnableConfig = {};

describe("route", () => {
  it("goes to the whole group when only its name is returned", async () => {
    await expect(choosing("act")({}, config)).resolves.toEqual(["gate"]);
    await expect(choosing("work")({}, config)).resolves.toEqual(["tools", "delegate"]);
    await expect(choosing("done")({}, config)).resolves.toEqual([END]);
  });

  it("goes to some of a group, by name or by Send, as often as it likes", async () => {
    const sends = [new Send("tools", { n: 1 }), new Send("tools", { n: 2 }), "delegate"];
    await expect(choosing({ group: "work", to: sends })({}, config)).resolves.toEqual(sends);
  });

  it("takes an asynchronous choice, with the state and the config", async () => {
    const next = route(
      { left: ["a"], right: ["b"] },
      async (state: { right: boolean }, { tags }): Promise<"left" | "right"> =>
        state.right && tags?.includes("yes") ? "right" : "left",
    );
    await expect(next({ right: true }, { tags: ["yes"] })).resolves.toEqual(["b"]);
    await expect(next({ right: true }, {})).resolves.toEqual(["a"]);
  });

  it.each([
    ["an unknown group", "rest", 'there is no group "rest". Return one of: work, act, done.'],
    ["nothing", undefined, 'there is no group "undefined". Return one of: work, act, done.'],
    [
      "a node of another group",
      { group: "work", to: ["gate"] },
      '"gate" is not in the group "work" (tools, delegate). Add it there, or choose another group.',
    ],
    [
      "a Send to another group",
      { group: "work", to: ["tools", new Send("gate", {})] },
      '"gate" is not in the group "work" (tools, delegate). Add it there, or choose another group.',
    ],
    [
      "an empty list",
      { group: "work", to: [] },
      'nothing was chosen from the group "work". Choose a node of it, or a group with END.',
    ],
    ["a node's name instead of a group's", "tools", 'there is no group "tools". Return one of: work, act, done.'],
  ])("refuses %s", async (_, choice, message) => {
    const refusal = choosing(choice)({}, config);
    await expect(refusal).rejects.toBeInstanceOf(RouteError);
    await expect(refusal).rejects.toMatchObject({ code: "ROUTE", message });
  });

  it("refuses groups that lead nowhere", () => {
    expect(() => route({}, () => "x" as never)).toThrow("name at least one group");
    expect(() => route({ work: [] }, () => "work")).toThrow('the group "work" has no nodes; put END in it to stop');
  });

  it("says which nodes may run together", () => {
    expect(routeAlternatives(choosing("act"))).toEqual([["tools", "delegate"], ["gate"], [END]]);
    expect(routeAlternatives(() => "gate")).toBeUndefined();
    expect(routeAlternatives(undefined)).toBeUndefined();
    expect(routeEnds(route({ one: ["a", END], two: ["b", "a"] }, () => "one"))).toEqual(["a", END, "b"]);
  });

  it("is typed by its groups", () => {
    // @ts-expect-error: there is no such group
    const choice: RouteChoice<"work" | "act", "tools"> = "rest";
    // @ts-expect-error: there is no such node
    const stray: RouteChoice<"work", "tools"> = { group: "work", to: ["gate"] };
    expect([choice, stray]).toHaveLength(2);
  });

  it("routes a real graph, and stops it when it leaves its groups", async () => {
    const State = new StateSchema({
      log: new ReducedValue(z.array(z.string()).default([]), {
        reducer: (all: string[], more: string[]) => [...all, ...more],
      }),
    });
    const graphOf = (choice: RouteChoice<"work" | "act", "tools" | "gate">) => {
      const next = route({ work: ["tools"], act: ["gate"] }, (_: typeof State.State) => choice);
      return new StateGraph(State)
        .addNode("planner", () => ({ log: ["planner"] }))
        .addNode("tools", () => ({ log: ["tools"] }))
        .addNode("gate", () => ({ log: ["gate"] }))
        .addEdge(START, "planner")
        .addConditionalEdges("planner", next, routeEnds(next))
        .compile();
    };
    const twice = [new Send("tools", {}), new Send("tools", {})];
    expect((await graphOf({ group: "work", to: twice }).invoke({ log: [] })).log).toEqual([
      "planner",
      "tools",
      "tools",
    ]);
    await expect(graphOf({ group: "work", to: ["gate"] }).invoke({ log: [] })).rejects.toThrow(RouteError);
    await expect(graphOf({ group: "work", to: [new Send("gate", {})] }).invoke({ log: [] })).rejects.toThrow(
      RouteError,
    );
  });
});
