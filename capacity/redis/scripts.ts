// What runs inside Redis. Time is the server's, so the clocks of the machines do not matter; every script takes all that it
// needs or nothing. One pool has six keys with one hash tag, so that a cluster keeps them together:
//   state      hash: tat (when the next request may leave), tok (when all charged tokens are paid off), fixed (how far
//              corrections have moved that), pause, headroom, retries (what is left of them)
//   leases     sorted set: slots in flight, by when they run out
//   processes  sorted set: who uses the quota, by when they count as gone
//   places     hash: the place that a process is kept: its turn in the pace, once there are tokens for it; what it was
//              charged; when all tokens charged before it are paid off; and what was fixed by then
//   waiting    sorted set: who was refused for want of a slot, by when it last asked
//   reports    hash: what each process says of itself, for `bulkhead quota` (process-report.ts); nothing is decided by it
// Pace and tokens are generic cell rate algorithms. All times are real milliseconds. Source: capacity.md, section 8.1.

import { z } from "zod";
import { MOST_RETRIES, RETRY_SHARE } from "../retry-budget.js";
import { redisScript } from "./connection.js";

const NOW = "local time = redis.call('TIME') local now = time[1] * 1000 + time[2] / 1000\n";
const TEXT = "local function text(number) return string.format('%.3f', number) end\n";
/** Before every key, when nothing else is said. */
export const QUOTA_PREFIX = "bulkhead:quota:";

/** The keys of one quota. */
export function quotaKeys(prefix: string, name: string) {
  const key = (part: string): string => `${prefix}{${name}}:${part}`;
  return {
    ...{ state: key("state"), leases: key("leases"), processes: key("processes") },
    ...{ places: key("places"), waiting: key("waiting"), reports: key("reports") },
  } as const;
}

/** State that nobody has used for so long is forgotten, in milliseconds. */
const FORGET_MS = 600_000;

/** While a route is dead one request goes out in this time, to see whether it lives again, in milliseconds. */
const PROBE_MS = 5_000;

/** A turn that its process did not come for is lost after this, in milliseconds. */
const LATE_MS = 1_000;

/** A process that has not asked again after this waits no more for a slot, in milliseconds. */
const WAITS_MS = 250;

/**
 * Leave for one request: breaker, pause, slots, tokens, pace, in this order. When its turn is further off than the horizon,
 * the process is kept one place, and asks again when that comes near: processes take turns, whoever asks more often. In the
 * same way a slot is left to the process that waits for one and holds fewer. `broken` is set while the route is dead, as far
 * as any process knows: milliseconds, a blank, and why.
 * Returns `{granted, ms or -1, reason, now, processes, headroom, broken or ''}`.
 */
export const TAKE = redisScript(`${NOW}${TEXT}
local state, leases, processes, places, waiting = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local id, process, leaseMs, processMs = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local requests, burst, slots, horizon = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local tokens, tokenBurst, needed = tonumber(ARGV[9]), tonumber(ARGV[10]), tonumber(ARGV[11])
redis.call('ZADD', processes, text(now + processMs), process)
redis.call('ZREMRANGEBYSCORE', processes, '-inf', now)
local known = redis.call('HMGET', state, 'tat', 'tok', 'pause', 'headroom', 'broken', 'why', 'probe', 'retries', 'fixed')
local headroom, broken = known[4] or ARGV[12], ''
local share = cjson.decode(headroom).share
local gap = 60000 / (requests * share)
local paidOff, corrected = math.max(tonumber(known[2]) or 0, now), tonumber(known[9]) or 0
local function paceOf(amount) if tokens > 0 then return amount * 60000 / (tokens * share) end return 0 end
local kept, turn, charged, from, since = redis.call('HGET', places, process), nil, 0, 0, 0
if kept then
  local words = cjson.decode(kept)
  turn, charged, from, since = tonumber(words[1]), tonumber(words[2]), tonumber(words[3]), tonumber(words[4])
end
local function answer(granted, ms, reason)
  for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ${FORGET_MS}) end
  return {granted, ms, reason, text(now), redis.call('ZCARD', processes), headroom, broken}
end
local function leave()
  if not kept then return end
  redis.call('HDEL', places, process)
  paidOff = math.max(paidOff - paceOf(charged), now)
  redis.call('HSET', state, 'tok', text(paidOff))
  kept, turn, charged = false, nil, 0
end
local function tokensAt()
  if tokens == 0 then return 0 end
  local cost = paceOf(needed)
  return from + (corrected - since) + (cost <= tokenBurst and cost - tokenBurst or 0)
end
local dead = tonumber(known[5])
if dead and dead > now then
  leave()
  broken = text(dead - now) .. ' ' .. (known[6] or '')
  return answer(0, text(dead - now), 'pace')
end
if dead then
  local probe = tonumber(known[7]) or 0
  if probe > now then return answer(0, text(probe - now), 'pace') end
end
local pause = tonumber(known[3]) or 0
if pause > now then
  leave()
  return answer(0, text(pause - now), 'pause')
end
if turn and now - math.max(turn, tokensAt()) > ${LATE_MS} then leave() end
redis.call('ZREMRANGEBYSCORE', leases, '-inf', now)
local free = slots - redis.call('ZCARD', leases)
local function isAnothersTurn()
  redis.call('ZREMRANGEBYSCORE', waiting, '-inf', now - ${WAITS_MS})
  local others = redis.call('ZRANGE', waiting, 0, -1)
  if #others == 0 then return false end
  local held = {}
  for _, lease in ipairs(redis.call('ZRANGE', leases, 0, -1)) do
    local owner = string.match(lease, '^(.*):')
    held[owner] = (held[owner] or 0) + 1
  end
  local before = 0
  for _, other in ipairs(others) do
    if other ~= process and (held[other] or 0) < (held[process] or 0) then before = before + 1 end
  end
  return before >= free
end
if free <= 0 or isAnothersTurn() then
  redis.call('ZADD', waiting, text(now), process)
  return answer(0, '-1', 'in-flight')
end
redis.call('ZREM', waiting, process)
if not kept then from, since = paidOff, corrected end
if needed ~= charged then
  redis.call('HSET', state, 'tok', text(math.max(paidOff + paceOf(needed - charged), now)))
  charged = needed
end
local at = tokensAt()
if not turn and at - now <= horizon then
  local tat = math.max(tonumber(known[1]) or 0, now - (burst - 1) * gap)
  turn = math.max(tat, now)
  redis.call('HSET', state, 'tat', text(tat + gap))
end
at = math.max(at, turn or 0)
if at - now > horizon then
  local place = {turn and text(turn) or '', text(charged), text(from), text(since)}
  redis.call('HSET', places, process, cjson.encode(place))
  return answer(0, text(at - now - horizon), 'pace')
end
redis.call('HDEL', places, process)
redis.call('ZADD', leases, text(math.max(at, now) + leaseMs), id)
local retries = tonumber(known[8])
if retries then redis.call('HSET', state, 'retries', text(math.min(${MOST_RETRIES}, retries + ${RETRY_SHARE}))) end
if dead then redis.call('HSET', state, 'probe', text(now + ${PROBE_MS})) end
return answer(1, text(math.max(0, at - now)), '')`);

/** What {@link TAKE} returns. */
export const TAKEN = z.tuple([
  ...[z.number(), z.coerce.number(), z.enum(["pause", "in-flight", "pace", ""]), z.coerce.number()],
  ...[z.number().int(), z.string(), z.string()],
] as const);

/** The route is dead for so many milliseconds, or, with 0, alive. */
export const BREAK = redisScript(`${NOW}${TEXT}
if ARGV[1] == '0' then return redis.call('HDEL', KEYS[1], 'broken', 'why', 'probe') end
redis.call('HSET', KEYS[1], 'broken', text(now + tonumber(ARGV[1])), 'why', ARGV[2], 'probe', '0')
redis.call('PEXPIRE', KEYS[1], ${FORGET_MS})
return 1`);

/** Takes one retry from what the fleet has left: every request that leaves adds a part of one. Returns 1 or 0. */
export const RETRY = redisScript(`${TEXT}
local left = tonumber(redis.call('HGET', KEYS[1], 'retries') or '') or ${MOST_RETRIES}
if left < 1 then return 0 end
redis.call('HSET', KEYS[1], 'retries', text(left - 1))
redis.call('PEXPIRE', KEYS[1], ${FORGET_MS})
return 1`);

/** Gives a slot back. */
export const GIVE_BACK = redisScript("return redis.call('ZREM', KEYS[1], ARGV[1])");

/**
 * Says that this process lives, how it stands, and which slots it holds; after a loss of all state they are there again.
 * Reports and places of processes that are gone go with them.
 */
export const RENEW = redisScript(`${NOW}${TEXT}
local leases, processes, places, reports = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
redis.call('ZADD', processes, text(now + tonumber(ARGV[2])), ARGV[1])
if ARGV[4] ~= '' then redis.call('HSET', reports, ARGV[1], text(now) .. ' ' .. ARGV[4]) end
for index = 5, #ARGV do redis.call('ZADD', leases, text(now + tonumber(ARGV[3])), ARGV[index]) end
redis.call('ZREMRANGEBYSCORE', processes, '-inf', now)
local count = redis.call('ZCARD', processes)
for _, told in ipairs({places, reports}) do
  if redis.call('HLEN', told) > count then
    for _, process in ipairs(redis.call('HKEYS', told)) do
      if not redis.call('ZSCORE', processes, process) then redis.call('HDEL', told, process) end
    end
  end
end
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ${FORGET_MS}) end
return {text(now), count}`);

/** What {@link RENEW} returns: the server's time, and how many processes there are. */
export const RENEWED = z.tuple([z.coerce.number(), z.number().int()]);

/**
 * How the quota stands; changes nothing. Returns `{now, tat, tok, pause, headroom, broken, why, slots in flight, processes,
 * reports}` with `false` for what is not known, and reports as `HGETALL` has them.
 */
export const LOOK = redisScript(`${NOW}${TEXT}
local known = redis.call('HMGET', KEYS[1], 'tat', 'tok', 'pause', 'headroom', 'broken', 'why')
local since = '(' .. text(now)
return {text(now), known[1], known[2], known[3], known[4], known[5], known[6], redis.call('ZCOUNT', KEYS[2], since, '+inf'),
  redis.call('ZRANGEBYSCORE', KEYS[3], since, '+inf'), redis.call('HGETALL', KEYS[4])}`);

/** This process leaves: it counts no more, and its slots are free. */
export const DEPART = redisScript(`
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('HDEL', KEYS[3], ARGV[1])
redis.call('HDEL', KEYS[4], ARGV[1])
redis.call('ZREM', KEYS[5], ARGV[1])
for index = 2, #ARGV do redis.call('ZREM', KEYS[1], ARGV[index]) end
return 1`);

/** Charges tokens beyond an estimate, or gives some back. */
export const CORRECT = redisScript(`${NOW}${TEXT}
local known = redis.call('HMGET', KEYS[1], 'tok', 'headroom', 'fixed')
local share = cjson.decode(known[2] or ARGV[3]).share
local before = math.max(tonumber(known[1]) or 0, now)
local paidOff = before + tonumber(ARGV[1]) * 60000 / (tonumber(ARGV[2]) * share)
local fixed = (tonumber(known[3]) or 0) + paidOff - before
redis.call('HSET', KEYS[1], 'tok', text(paidOff), 'fixed', text(fixed))
redis.call('PEXPIRE', KEYS[1], ${FORGET_MS})
return 1`);

/** Pauses everybody; the later end counts. */
export const PAUSE = redisScript(`${NOW}${TEXT}
local pause = tonumber(redis.call('HGET', KEYS[1], 'pause')) or 0
redis.call('HSET', KEYS[1], 'pause', text(math.max(pause, now + tonumber(ARGV[1]))))
redis.call('PEXPIRE', KEYS[1], ${FORGET_MS})
return 1`);

/** Sets the headroom when it is still what the caller saw. Returns the one that counts now. */
export const STEP = redisScript(`
local headroom = redis.call('HGET', KEYS[1], 'headroom') or ARGV[1]
if headroom ~= ARGV[1] then return headroom end
redis.call('HSET', KEYS[1], 'headroom', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ${FORGET_MS})
return ARGV[2]`);
