// Shows a model's answer: its text with each token shaded by how unlikely it was, and the calls it asked for.

import type { Answer, AnswerToken } from "../../../../checkpoints/index.js";
import type { PageElement } from "./browser.js";
import type { Dom } from "./dom.js";

/** Makes the view of answers. `answerOf` reads a body. */
export function answerViewOf(
  { make, shown, call }: Dom,
  answerOf: (raw: string) => Answer | undefined,
): (raw: string) => PageElement {
  const percent = (logprob: number): string => {
    const share = Math.exp(logprob) * 100;
    return share > 99.95 ? "100 %" : share < 0.1 ? "below 0.1 %" : `${share.toFixed(1)} %`;
  };

  const tokenOf = ({ token, logprob, top = [] }: AnswerToken): PageElement => {
    const element = shown(token, "span", "token");
    const doubt = 1 - Math.exp(logprob);
    if (doubt > 0.005) element.style.setProperty("--doubt", doubt.toFixed(3));
    else element.classList.toggle("sure", true);
    if (doubt > 0.5) element.classList.toggle("unlikely", true);
    const others = top.map((other) => `${JSON.stringify(other.token)} ${percent(other.logprob)}`);
    element.title = [`${percent(logprob)} (logprob ${logprob})`, ...others].join("\n");
    return element;
  };

  const legendOf = (tokens: readonly AnswerToken[]): PageElement => {
    const likely = tokens.toSorted((left, right) => left.logprob - right.logprob).slice(0, 5);
    const doubtful = likely.filter(({ logprob }) => Math.exp(logprob) < 0.9);
    if (doubtful.length === 0) {
      const all = tokens.every(({ logprob }) => logprob === 0);
      return make("p", "quiet", all ? "Every token came with probability 1." : "Every token had more than 90 %.");
    }
    const legend = make("p", "quiet", "The stronger the shade, the less likely. Least likely: ");
    for (const each of doubtful) legend.append(shown(each.token, "code"), ` ${percent(each.logprob)}  `);
    return legend;
  };

  return (raw) => {
    const answer = answerOf(raw);
    if (answer === undefined)
      return make("p", "bad", "This body is no answer that can be read; it stands below as it came.");
    const view = make("div", "answered");
    const tokens = answer.logprobs?.tokens ?? [];
    if (answer.content !== "" && tokens.map(({ token }) => token).join("") === answer.content) {
      view.append(make("div", "said", ...tokens.map(tokenOf)), legendOf(tokens));
    } else if (answer.content !== "") {
      view.append(shown(answer.content, "div", "said"));
      if (tokens.length > 0) view.append(make("div", "said", ...tokens.map(tokenOf)), legendOf(tokens));
    }
    if (tokens.length === 0) view.append(make("p", "quiet", "The provider sent no log-probabilities."));
    for (const asked of answer.toolCalls) view.append(call(asked.name, asked.arguments));
    if (answer.content === "" && answer.toolCalls.length === 0) view.append(make("p", "quiet", "An empty answer."));
    const { finishReason, usage } = answer;
    const cached = usage?.cachedTokens === undefined ? "" : `, ${usage.cachedTokens} cached`;
    view.append(
      make(
        "p",
        "quiet",
        finishReason === undefined ? "It broke off. " : "Finish: ",
        shown(finishReason ?? ""),
        usage === undefined ? "" : ` · ${usage.inputTokens}+${usage.outputTokens} tokens${cached}`,
      ),
    );
    return view;
  };
}
