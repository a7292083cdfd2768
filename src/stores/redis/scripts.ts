// The scripts that a RedisStore runs on the server, where they compare and set atomically and read the server's clock. Owns the scripts and
// their keys: a hash for each entry, a sorted set of all ids, and the highest deleted generation. In a hash, `bytes` is a whole snapshot;
// `d1`, `d2` … are the deltas behind it; `deltas` and `deltaBytes` are their number and length; `size` is the current snapshot's length.
import { createHash } from 'node:crypto'

export interface Script {
  readonly text: string
  /** Redis's name for the script. */
  readonly sha1: string
}

export interface Keys {
  entry(id: string): string
  /** Prefix of all entries' keys. */
  readonly entries: string
  readonly index: string
  readonly highest: string
}

export function keysOf(prefix: string): Keys {
  const entries = `${prefix}session:`
  return { entries, entry: (id) => entries + id, index: `${prefix}sessions`, highest: `${prefix}deleted` }
}

/** Lua's numbers are doubles, and its own conversion to text rounds them. */
const HEAD = `
local function text(number) return string.format('%.0f', number) end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`

/** Shared by both writes. KEYS[1] is the entry; the first arguments are generation, record, id, owner or '', lease in ms. */
const WRITE_RECORD = `
local function write(generation)
  redis.call('HSET', KEYS[1], 'generation', generation, 'record', ARGV[2], 'updated', text(now))
  if ARGV[4] == '' then
    redis.call('HDEL', KEYS[1], 'owner', 'expires')
  else
    redis.call('HSET', KEYS[1], 'owner', ARGV[4], 'expires', text(now + ARGV[5]))
  end
end
`

/** KEYS: entry, index, highest. ARGV: as above, '1' if there are bytes, bytes. */
export const PUT = script(`${HEAD}${WRITE_RECORD}
local current = redis.call('HGET', KEYS[1], 'generation')
if (current or '0') ~= ARGV[1] then return false end
local generation
if current then
  generation = text(current + 1)
else
  local highest = tonumber(redis.call('GET', KEYS[3]) or '0')
  generation = text(math.max(time[1] * 1000000 + time[2], highest + 1))
  redis.call('HSET', KEYS[1], 'created', text(now), 'bytes', '')
  redis.call('ZADD', KEYS[2], 0, ARGV[3])
end
write(generation)
if ARGV[6] == '1' then
  for i = 1, tonumber(redis.call('HGET', KEYS[1], 'deltas') or '0') do redis.call('HDEL', KEYS[1], 'd' .. i) end
  redis.call('HDEL', KEYS[1], 'deltas', 'deltaBytes', 'size')
  redis.call('HSET', KEYS[1], 'bytes', ARGV[7])
end
return generation
`)

/**
 * KEYS: entry. ARGV: as above, length of the snapshot before, length of the snapshot after, the delta, most deltas. Returns 'whole' if the
 * delta does not fit.
 */
export const PUT_DELTA = script(`${HEAD}${WRITE_RECORD}
local current = redis.call('HGET', KEYS[1], 'generation')
if (current or '0') ~= ARGV[1] then return false end
if not current then return 'whole' end
local whole = redis.call('HSTRLEN', KEYS[1], 'bytes')
local fields = redis.call('HMGET', KEYS[1], 'deltas', 'deltaBytes', 'size')
local deltas = tonumber(fields[1] or '0')
local deltaBytes = tonumber(fields[2] or '0') + #ARGV[8]
local size = tonumber(fields[3] or whole)
if whole == 0 or size ~= tonumber(ARGV[6]) or deltas >= tonumber(ARGV[9]) or deltaBytes > whole then return 'whole' end
local generation = text(current + 1)
write(generation)
redis.call('HSET', KEYS[1], 'd' .. (deltas + 1), ARGV[8],
  'deltas', text(deltas + 1), 'deltaBytes', text(deltaBytes), 'size', ARGV[7])
return generation
`)

/** KEYS: entry. Returns the time, the fields, and the deltas. */
export const GET = script(`${HEAD}
local fields = redis.call('HMGET', KEYS[1], 'generation', 'record', 'created', 'updated', 'owner', 'expires', 'bytes')
local deltas = {}
for i = 1, tonumber(redis.call('HGET', KEYS[1], 'deltas') or '0') do
  deltas[i] = redis.call('HGET', KEYS[1], 'd' .. i)
end
return { text(now), fields, deltas }
`)

/** KEYS: entry, index, highest. ARGV: generation, id. */
export const DELETE = script(`
if redis.call('HGET', KEYS[1], 'generation') ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[2])
local highest = tonumber(redis.call('GET', KEYS[3]) or '0')
if tonumber(ARGV[1]) > highest then redis.call('SET', KEYS[3], ARGV[1]) end
return 1
`)

/** KEYS: index. ARGV: prefix of the entries' keys, first id, last id, count. Returns the time and, for each id, the fields and the size. */
export const LIST = script(`${HEAD}
local found = {}
for i, id in ipairs(redis.call('ZRANGEBYLEX', KEYS[1], ARGV[2], ARGV[3], 'LIMIT', 0, ARGV[4])) do
  local key = ARGV[1] .. id
  local fields = redis.call('HMGET', key, 'generation', 'record', 'created', 'updated', 'owner', 'expires')
  local size = tonumber(redis.call('HGET', key, 'size') or redis.call('HSTRLEN', key, 'bytes'))
  found[i] = { id, fields, size }
end
return { text(now), found }
`)

function script(text: string): Script {
  return { text, sha1: createHash('sha1').update(text).digest('hex') }
}
