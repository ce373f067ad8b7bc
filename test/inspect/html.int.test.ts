// The page in a real Chromium: what a reader sees first, opens, searches and reaches with the keyboard alone, in both
// colour schemes. Left out, with a line that says so, where there is no Chromium.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { promptOf } from "../../checkpoints/index.js";
import { htmlOf, type PageRecord } from "../../cli/inspect/html/page.js";
import { Chromium, findChromium } from "./chromium.js";
import { longRun } from "./html-long.js";
import { story } from "./html-record.js";

const path = findChromium();
if (path === undefined)
  process.stderr.write("no Chromium on the path: the tests of the page in a browser are skipped\n");

describe.skipIf(path === undefined)("in Chromium", () => {
  const folder = mkdtempSync(join(tmpdir(), "bulkhead-page-"));
  let browser: Chromium;

  const show = async (record: PageRecord, hash = ""): Promise<void> => {
    const file = join(folder, "page.html");
    writeFileSync(file, htmlOf(record));
    await browser.open("about:blank");
    await browser.open(`${pathToFileURL(file)}${hash}`);
  };
  const text = async (selector: string): Promise<string> =>
    String(await browser.evaluate(`document.querySelector(${JSON.stringify(selector)}).innerText`));
  const seen = (): Promise<unknown> =>
    browser.evaluate(
      `[...document.querySelectorAll(".line")].filter((line) => line.checkVisibility()).map(({ id }) => id)`,
    );
  const lineWith = async (words: string): Promise<string> =>
    String(
      await browser.evaluate(
        `[...document.querySelectorAll(".line")].find((line) => line.textContent.includes(${JSON.stringify(words)})).id`,
      ),
    );
  const open = async (words: string): Promise<void> => {
    await browser.evaluate(`document.getElementById(${JSON.stringify(await lineWith(words))}).click()`);
    await browser.until(`document.querySelector("#panel-content").children.length > 0`);
  };
  const type = (words: string): Promise<unknown> =>
    browser.evaluate(
      `{ const search = document.getElementById("search"); search.value = ${JSON.stringify(words)}; search.dispatchEvent(new Event("input")); }`,
    );

  beforeAll(async () => {
    browser = await Chromium.start(path ?? "");
  });
  beforeEach(async () => {
    browser.troubles.length = 0;
    await browser.send("Emulation.setDeviceMetricsOverride", {
      width: 1280,
      height: 800,
      deviceScaleFactor: 1,
      mobile: false,
    });
    await browser.send("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: "light" }] });
  });
  afterAll(async () => {
    await browser.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test("the first screen has the end, the deeds, the reasons, the trust and the sums, without scrolling", async () => {
    await show(story());
    const below = await browser.evaluate(
      `[".verdict", ".deeds", ".why", ".overview", ".totals"].filter((each) => document.querySelector(each).getBoundingClientRect().bottom > innerHeight)`,
    );
    expect(below).toEqual([]);
    expect(browser.troubles).toEqual([]);
  });

  test.each([1280, 700, 360])("nothing is wider than a screen of %d pixels", async (width) => {
    await browser.send("Emulation.setDeviceMetricsOverride", {
      width,
      height: 800,
      deviceScaleFactor: 1,
      mobile: false,
    });
    await show(story());
    expect(await browser.evaluate("document.documentElement.scrollWidth")).toBe(width);
    await open("gpt-5-mini as fallback");
    expect(await browser.evaluate("document.documentElement.scrollWidth")).toBe(width);
  });

  test("a line opens: the answer with its doubtful tokens, the prompt, and both bodies byte for byte", async () => {
    const record = story("\u202e\u{1f600}");
    await show(record);
    await open("gpt-5-mini as fallback → task");
    const panel = await text("#panel-content");
    for (const part of [
      "I will check customer 8812.",
      "Least likely: 2 34.0 %",
      "You are the records agent.",
      "\\u202e",
      "fp_44709d6fcb",
    ]) {
      expect(panel).toContain(part);
    }
    expect(await browser.evaluate(`document.querySelector(".token.unlikely").title`)).toMatch(
      /^34\.0 % \(logprob -1\.07/,
    );
    const saved = async (title: string): Promise<string> => {
      await browser.evaluate(
        `[...document.querySelectorAll("#panel details")].find((each) => each.textContent.startsWith(${JSON.stringify(title)})).open = true`,
      );
      await browser.until(
        `[...document.querySelectorAll("#panel details[open]")].some((each) => each.textContent.startsWith(${JSON.stringify(title)}) && each.querySelector(".save"))`,
      );
      return String(
        await browser.evaluate(`new Promise((resolve) => {
          URL.createObjectURL = (blob) => { void blob.text().then(resolve); return "blob:none"; };
          HTMLAnchorElement.prototype.click = () => {};
          [...document.querySelectorAll("#panel details[open]")].find((each) => each.textContent.startsWith(${JSON.stringify(title)})).querySelector(".save").click();
        })`),
      );
    };
    const request = record.events.find(
      ({ event }) => event.kind === "model.request" && event.route === "gpt-5-mini",
    )?.event;
    const response = record.events.find(
      ({ event }) => event.kind === "model.response" && event.obtained.route === "gpt-5-mini",
    )?.event;
    if (request?.kind !== "model.request" || response?.kind !== "model.response")
      throw new Error("there is no such call");
    expect(await saved("the request as it was sent")).toBe(promptOf(request.prompt, record.texts));
    expect(await saved("The response as it came")).toBe(record.texts.get(response.raw ?? ""));
    expect(browser.troubles).toEqual([]);
  });

  test("a tool's output, and what a person was asked", async () => {
    await show(story());
    await open("read_ticket(id: 4711)");
    expect(await text("#panel-content")).toContain("Customer number 8812, I think.");
    await open("asks for delete_customer");
    await browser.until(`document.querySelector("#panel-content").innerText.includes("customer since 2019")`);
  });

  test("what was erased is said to be erased", async () => {
    await show({ ...story(), texts: new Map() });
    await open("read_ticket(id: 4711)");
    expect(await text("#panel-content")).toContain("It was erased, or never kept.");
    expect(browser.troubles).toEqual([]);
  });

  test("the keyboard moves, opens, closes and searches", async () => {
    await show(story());
    const focused = (): Promise<unknown> => browser.evaluate("document.activeElement.id");
    await browser.press("j");
    expect(await focused()).toBe("e0");
    await browser.press("j");
    await browser.press("ArrowDown");
    expect(await focused()).toBe("e2");
    await browser.press("k");
    expect(await focused()).toBe("e1");
    await browser.press("Enter");
    await browser.until(`document.querySelector("#panel-content").children.length > 0`);
    expect(await focused()).toBe("panel-title");
    expect(await browser.evaluate("location.hash")).toBe("#e1");
    await browser.press("j");
    expect(await browser.evaluate("location.hash")).toBe("#e2");
    await browser.press("Escape");
    expect(await browser.evaluate(`document.getElementById("panel").hidden`)).toBe(true);
    expect(await focused()).toBe("e2");
    await browser.press("/");
    expect(await focused()).toBe("search");
  });

  test("search finds lines, and what stands in prompts and answers only; a filter narrows it", async () => {
    await show(story());
    await type("PAUSE 60 s");
    await browser.until(`document.getElementById("status").textContent === "1 of 32 lines"`);
    expect(await seen()).toEqual([await lineWith("gpt-5 is rate limited: its calls pause 60 s")]);
    await type("never delete a customer");
    const asked = await lineWith("gpt-5 → read_ticket");
    await browser.until(`!document.getElementById("${asked}").hidden`);
    expect(await seen()).toEqual([asked]);
    await type("number 8812, I think");
    const read = await lineWith("read_ticket(id: 4711)");
    await browser.until(`!document.getElementById("${read}").hidden`);
    expect(await seen()).toEqual([read, await lineWith("gpt-5-mini as fallback → task")]);
    await type("");
    await browser.evaluate(`document.querySelector("input[value=trust]").click()`);
    await browser.until(`document.getElementById("status").textContent === "2 of 32 lines"`);
  });

  test("a link to a line opens it, also when a filter hides it", async () => {
    await show(story(), "#e5");
    await browser.until(`document.querySelector("#panel-content").children.length > 0`);
    expect(await browser.evaluate(`document.querySelector("[aria-current=true]").id`)).toBe("e5");
    await browser.evaluate(`document.querySelector("input[value=gate]").click()`);
    await browser.evaluate(`location.hash = "#e6"`);
    await browser.until(`document.querySelector("[aria-current=true]")?.id === "e6"`);
    expect(await seen()).toContain("e6");
  });

  test.each(["light", "dark"])("%s: every text has a contrast of 4.5 to 1, also after the switch", async (scheme) => {
    await browser.send("Emulation.setEmulatedMedia", {
      features: [
        { name: "prefers-color-scheme", value: scheme },
        { name: "prefers-reduced-motion", value: "reduce" },
      ],
    });
    await show(story("\u202e"));
    await open("gpt-5-mini as fallback");
    const ground = () => browser.evaluate("getComputedStyle(document.body).backgroundColor");
    const before = await ground();
    expect(await browser.evaluate(LOW_CONTRAST)).toEqual([]);
    await browser.evaluate(`document.getElementById("theme").click()`);
    expect(await ground()).not.toBe(before);
    expect(await browser.evaluate(LOW_CONTRAST)).toEqual([]);
  });

  test("everything that can be used has a name and a role", async () => {
    await show(story());
    await open("gpt-5-mini as fallback");
    const { nodes } = (await browser.send("Accessibility.getFullAXTree")) as { nodes: AxNode[] };
    const used = nodes.filter(({ role }) => ["button", "link", "searchbox", "radio"].includes(String(role?.value)));
    expect(used.length).toBeGreaterThan(40);
    expect(used.filter(({ name }) => String(name?.value ?? "").trim() === "")).toEqual([]);
    expect(
      nodes.some(({ role, name }) => role?.value === "complementary" && String(name?.value).includes("as fallback")),
    ).toBe(true);
  });

  test("hostile text does nothing, and shows", async () => {
    await show(story(`<img src=x onerror="document.title='owned'"><script>document.title='owned'</script>`));
    await open("gpt-5-mini as fallback");
    expect(await browser.evaluate("document.title")).not.toBe("owned");
    expect(await browser.evaluate(`document.querySelectorAll("img").length`)).toBe(0);
    expect(await text("#panel-content")).toContain("<img src=x onerror=");
    expect(browser.troubles).toEqual([]);
  });

  test("two thousand steps: what is deep in it opens and is found", async () => {
    await show(longRun(2_000));
    await open("find_order(id: 1997)");
    expect(await text("#panel-content")).toContain("S-1997-11");
    await type("S-1601-7");
    await browser.until(`document.getElementById("status").textContent.startsWith("2 of")`);
    expect(browser.troubles).toEqual([]);
  });
});

interface AxNode {
  readonly role?: { readonly value?: unknown };
  readonly name?: { readonly value?: unknown };
}

/** The texts that stand out too little from what they stand on (WCAG 2.2, 1.4.3), with the ratio. */
const LOW_CONTRAST = `(() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const paint = (colours) => {
    canvas.clearRect(0, 0, 1, 1);
    for (const colour of colours) { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); }
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((each) => each / 255).map((each) => (each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const found = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (walker.currentNode.data.trim() === "" || !element.checkVisibility() || ["SCRIPT", "STYLE", "title"].includes(element.tagName)) continue;
    const grounds = [];
    for (let each = element; each; each = each.parentElement) grounds.unshift(getComputedStyle(each).backgroundColor);
    const ground = paint(grounds);
    const [low, high] = [luminance(ground), luminance(paint([...grounds, getComputedStyle(element).color]))].sort((a, b) => a - b);
    const ratio = (high + 0.05) / (low + 0.05);
    if (ratio < 4.5) found.add(element.className + " " + walker.currentNode.data.slice(0, 30) + " " + ratio.toFixed(2));
  }
  return [...found];
})()`;
