// What recorded JSON says again and again: the frame of requests, answers, messages and events. Given to the compression
// beforehand, so that short texts shrink as well. It is part of the format of what was written: it never changes.

/** A dictionary for `zlib`, the most frequent last. */
export const PHRASES = Buffer.from(
  [
    '{"model":"gpt-4.1","temperature":0,"stream":false,"max_completion_tokens":"messages":[{"role":"system","content":"',
    '{"kind":"gate.decision","tool":"","toolDigest":"","verdict":"allow","considered":{"repeats":false,"changed":false,',
    '"deficits":[],"reasons":[],"binding":"","policy":""}{"kind":"model.error","call":"","error":"","name":""}',
    '{"kind":"tool.output","tool":"","use":"run","definition":"","arguments":"","key":"","ms":0,"ok":true,"output":"',
    '","bytes":{"kind":"tool.response","tool":"","callId":"call_","arguments":{"id":"},"ok":true,"ms":1,',
    '"label":{"integrity":3,"fidelity":3,"currency":3,"certainty":3}}{"kind":"model.request","call":"","provider":"openai",',
    '"endpoint":"api.openai.com/v1/chat/completions","route":"","digest":"","bytes":"prompt":{"frame":{"model":"',
    '","temperature":0,"logprobs":true,"stream":false,"tools":null,"messages":null},"pages":["","rest":["","tools":"',
    '{"kind":"model.response","call":"","obtained":{"provider":"","offline":false,"route":"","primary":"","returnedModel":"',
    '","attempts":1,"rateLimited":0,"unclearAttempts":0,"queueMs":0,"requestId":"req_","headers":{',
    '"x-ratelimit-limit-requests":"","x-ratelimit-limit-tokens":"","x-ratelimit-remaining-requests":"",',
    '"x-ratelimit-remaining-tokens":"","x-ratelimit-reset-requests":"0ms","x-ratelimit-reset-tokens":"0ms",',
    '"x-request-id":"req_"},"systemFingerprint":"fp_","finishReason":"stop","usage":{"inputTokens":,"outputTokens":}},',
    '"toolCalls":[""],"raw":"","engine":{"fingerprint":"fp_"},"batch":"unavailable"}',
    'data: {"id":"chatcmpl-","object":"chat.completion.chunk","created":1,"model":"","service_tier":"default",',
    '"system_fingerprint":"fp_","choices":[{"index":0,"delta":{"content":""},"logprobs":null,"finish_reason":null}]}',
    '{"id":"chatcmpl-","object":"chat.completion","created":17,"model":"","choices":[{"index":0,"message":{"role":"assistant",',
    '"content":"","refusal":null,"annotations":[],"tool_calls":[{"id":"call_","type":"function","function":{"name":"",',
    '"arguments":"{\\"":\\""}"}}]},"logprobs":{"content":[{"token":" ","logprob":0,"bytes":[32,116],"top_logprobs":[]},',
    '"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":,"completion_tokens":,"total_tokens":,"prompt_tokens_details":{',
    '"cached_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,',
    '"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}},"system_fingerprint":"fp_"}',
    '{"role":"user","content":"{"role":"tool","content":"{\\"","name":"","tool_call_id":"call_"}',
    '{"role":"assistant","content":"","tool_calls":[{"id":"call_","type":"function","function":{"name":"","arguments":"{\\"',
  ].join(""),
);
