// The little of a browser that the page's script uses. The project compiles without the types of the DOM, so that no
// other code reaches for it by mistake.

/** An element of the page. */
export interface PageElement {
  textContent: string | null;
  className: string;
  hidden: boolean;
  title: string;
  value: string;
  open: boolean;
  tabIndex: number;
  type: string;
  href: string;
  download: string;
  readonly id: string;
  readonly tagName: string;
  readonly dataset: Record<string, string | undefined>;
  readonly classList: {
    contains(name: string): boolean;
    toggle(name: string, force?: boolean): boolean;
  };
  readonly style: { setProperty(name: string, value: string): void };
  append(...children: readonly (PageElement | string)[]): void;
  replaceChildren(...children: readonly (PageElement | string)[]): void;
  setAttribute(name: string, value: string): void;
  addEventListener(type: string, listener: (event: PageEvent) => void): void;
  querySelector(selector: string): PageElement | null;
  querySelectorAll(selector: string): Iterable<PageElement>;
  closest(selector: string): PageElement | null;
  contains(other: PageElement | null): boolean;
  focus(options?: { readonly preventScroll?: boolean }): void;
  select(): void;
  click(): void;
  scrollIntoView(options: { readonly block: "nearest" | "center" }): void;
}

/** Something the reader did. */
export interface PageEvent {
  readonly target: PageElement | null;
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
  preventDefault(): void;
}

/** The document. */
export interface PageDocument extends Omit<PageElement, "className" | "hidden"> {
  readonly activeElement: PageElement | null;
  readonly documentElement: PageElement;
  readonly body: PageElement;
  createElement(name: string): PageElement;
  getElementById(id: string): PageElement | null;
}

/** The window. */
export interface PageWindow {
  readonly document: PageDocument;
  readonly location: { readonly hash: string };
  readonly history: { replaceState(state: null, title: "", url: string): void };
  matchMedia(query: string): { readonly matches: boolean };
  addEventListener(type: "hashchange", listener: () => void): void;
}
