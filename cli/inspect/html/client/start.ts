// Runs the page: opens a line's details, moves with the keyboard, searches and filters, switches the colours.

import type { PageElement, PageWindow } from "./browser.js";
import type { Detail, PageIndex } from "./detail-shape.js";
import type { Dom } from "./dom.js";
import type { Reader } from "./reader.js";

/** What {@link start} needs of the page's other parts. */
export interface Parts {
  readonly dom: Dom;
  readonly reader: Reader;
  readonly index: PageIndex;
  readonly detailView: (detail: Detail, name: string) => Promise<PageElement>;
}

/** Starts. */
export function start(window: PageWindow, { dom, reader, index, detailView }: Parts): void {
  const { document } = window;
  const required = (id: string): PageElement => {
    const element = document.getElementById(id);
    if (element === null) throw new Error(`the page has no #${id}`);
    return element;
  };
  const [panel, title, content, search, status] = ["panel", "panel-title", "panel-content", "search", "status"].map(
    required,
  ) as [PageElement, PageElement, PageElement, PageElement, PageElement];
  const lines = [...document.querySelectorAll(".line")];
  const sections = [...document.querySelectorAll(".step")];
  const words = lines.map((line) => (line.textContent ?? "").toLowerCase());
  const places = new Map(lines.map((line, place) => [line, place]));
  const numberOf = (line: PageElement): number => Number(line.id.slice(1));
  let current = lines[0];
  let opened: PageElement | undefined;

  const point = (line: PageElement): void => {
    if (current !== undefined) current.tabIndex = -1;
    current = line;
    line.tabIndex = 0;
  };

  const open = async (line: PageElement, takeFocus: boolean): Promise<void> => {
    point(line);
    opened?.setAttribute("aria-current", "false");
    opened = line;
    line.setAttribute("aria-current", "true");
    window.history.replaceState(null, "", `#${line.id}`);
    const section = line.closest(".step");
    const head = section?.querySelector(".head")?.textContent?.trim() ?? "";
    title.replaceChildren(
      dom.make(
        "small",
        "",
        `${line.querySelector("time")?.textContent ?? ""} UTC${head === "" ? "" : ` · step ${head}`}`,
      ),
      line.querySelector("span")?.textContent ?? "",
    );
    panel.hidden = false;
    document.body.classList.toggle("with-panel", true);
    if (takeFocus) title.focus({ preventScroll: true });
    const detail = (await reader.json(index.details[numberOf(line)] ?? 0)) as Detail;
    const view = await detailView(detail, line.id);
    if (opened !== line) return;
    content.replaceChildren(view);
    panel.querySelector(".scroll")?.scrollIntoView({ block: "nearest" });
  };

  const close = (): void => {
    if (panel.hidden) return;
    panel.hidden = true;
    document.body.classList.toggle("with-panel", false);
    opened?.setAttribute("aria-current", "false");
    opened?.focus();
    opened = undefined;
    window.history.replaceState(null, "", "#");
  };

  const isSeen = (line: PageElement): boolean => !line.hidden;

  const move = (by: 1 | -1): void => {
    let place =
      (current === undefined ? -1 : (places.get(current) ?? -1)) + (current === document.activeElement ? by : 0);
    if (opened !== undefined && current !== document.activeElement) place += by;
    while (lines[place] !== undefined && !isSeen(lines[place] as PageElement)) place += by;
    const line = lines[place];
    if (line === undefined) return;
    point(line);
    line.focus();
    if (!panel.hidden) void open(line, false);
  };

  const KINDS: Readonly<Record<string, (line: PageElement) => boolean>> = {
    all: () => true,
    trouble: ({ classList }) => classList.contains("warn") || classList.contains("bad"),
    trust: ({ dataset }) => dataset["kind"] === "trust.fell" || dataset["kind"] === "label.missing",
    models: ({ dataset }) => dataset["kind"]?.startsWith("model.") === true,
    tools: ({ dataset }) => dataset["kind"]?.startsWith("tool.") === true || dataset["kind"] === "effect",
    gate: ({ dataset }) => /^(gate|approval|effect)/.test(dataset["kind"] ?? ""),
    limits: ({ dataset }) => dataset["kind"] === "capacity" || dataset["kind"] === "admission",
  };
  let kind = "all";
  let asked = 0;

  const filter = async (): Promise<void> => {
    asked += 1;
    const mine = asked;
    const wanted = search.value.trim().toLowerCase();
    const isKind = KINDS[kind] ?? (() => true);
    const matches = lines.map((line, place) => isKind(line) && (words[place] ?? "").includes(wanted));
    const show = (): void => {
      for (const [place, line] of lines.entries()) line.hidden = matches[place] !== true;
      for (const section of sections) {
        const empty = [...section.querySelectorAll(".line")].every(({ hidden }) => hidden);
        if (section.hidden !== empty) section.hidden = empty;
      }
      const amount = matches.filter(Boolean).length.toLocaleString("en-US");
      status.textContent =
        wanted === "" && kind === "all" ? "" : `${amount} of ${lines.length.toLocaleString("en-US")} lines`;
    };
    show();
    if (wanted.length < 3) return;
    status.textContent += ", looking into prompts and answers…";
    const deeper = await reader.search(wanted);
    if (mine !== asked) return;
    for (const number of deeper) {
      const line = lines[number];
      if (line !== undefined && isKind(line)) matches[number] = true;
    }
    show();
  };

  let typing: ReturnType<typeof setTimeout> | undefined;
  search.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(() => void filter(), 150);
  });
  for (const choice of document.querySelectorAll("input[name=kind]")) {
    choice.addEventListener("change", () => {
      kind = choice.value;
      void filter();
    });
  }

  document.addEventListener("click", ({ target }) => {
    const line = target?.closest(".line");
    if (line !== null && line !== undefined) void open(line, true);
  });
  required("close").addEventListener("click", close);
  required("theme").addEventListener("click", () => {
    const root = document.documentElement;
    const dark =
      root.dataset["theme"] ?? (window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
    root.dataset["theme"] = dark === "dark" ? "light" : "dark";
  });

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { key, target } = event;
    const inField = target?.tagName === "INPUT" && target.type === "search";
    const onLine = target === document.body || target?.classList.contains("line") === true;
    if (key === "Escape") {
      if (inField && search.value !== "") {
        search.value = "";
        void filter();
      } else if (inField) current?.focus();
      else close();
    } else if (inField && key === "ArrowDown") move(1);
    else if (inField) return;
    else if (key === "/") search.select();
    else if (key === "j" || (key === "ArrowDown" && onLine)) move(1);
    else if (key === "k" || (key === "ArrowUp" && onLine)) move(-1);
    else return;
    event.preventDefault();
  });

  const follow = (): void => {
    const line = document.getElementById(window.location.hash.slice(1));
    if (line?.classList.contains("line") !== true) return;
    if (line.hidden) {
      search.value = "";
      document.querySelector("input[value=all]")?.click();
      kind = "all";
      void filter();
    }
    line.scrollIntoView({ block: "center" });
    void open(line, true);
  };
  window.addEventListener("hashchange", follow);
  if (current !== undefined) current.tabIndex = 0;
  follow();
}
