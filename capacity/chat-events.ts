// LangChain's newer stream protocol, bridged from chunks. Its bridge keeps the content only: what is known of the answer
// goes back in.

import { convertChunksToEvents } from "@langchain/core/language_models/compat";
import type { ChatModelStreamEvent } from "@langchain/core/language_models/event";
import type { BaseMessage } from "@langchain/core/messages";
import type { ChatGenerationChunk } from "@langchain/core/outputs";
import { OBTAINED_KEY } from "./obtained.js";
import { type KeptFields, PROVIDER_FIELDS } from "./provider-fields.js";

/** The events of a streamed answer. */
export async function* eventsOf(
  chunks: AsyncIterable<ChatGenerationChunk>,
  signal: AbortSignal | undefined,
): AsyncGenerator<ChatModelStreamEvent> {
  let reasoning = "";
  let last: BaseMessage["response_metadata"] = {};
  const watched = (async function* () {
    for await (const chunk of chunks) {
      const { additional_kwargs, response_metadata } = chunk.message;
      reasoning += String(additional_kwargs["reasoning_content"] ?? "");
      last = response_metadata;
      yield chunk;
    }
  })();
  for await (const event of convertChunksToEvents(watched, signal && { signal })) {
    if (event.event !== "message-finish") yield event;
    else yield { ...event, responseMetadata: { ...event.responseMetadata, ...known(last, reasoning) } };
  }
}

/** A message keeps reasoning in its `additional_kwargs`, which the bridge drops as well. */
function known(last: BaseMessage["response_metadata"], reasoning: string): Readonly<Record<string, unknown>> {
  const fields = last[PROVIDER_FIELDS] as KeptFields | undefined;
  const message = { ...fields?.message, ...(reasoning === "" ? {} : { reasoning_content: reasoning }) };
  const kept = { ...fields, ...(Object.keys(message).length === 0 ? {} : { message }) };
  return {
    [OBTAINED_KEY]: last[OBTAINED_KEY],
    ...(Object.keys(kept).length === 0 ? {} : { [PROVIDER_FIELDS]: kept }),
  };
}
