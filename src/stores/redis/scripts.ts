// What a RedisStore runs on the server: a script is the compare-and-set, and sees the server's clock. Owns the scripts and their keys: a
// hash for each entry, a sorted set with all ids, and the highest generation that was deleted.
import { createHash } from 'node:crypto'

export interface Script {
  readonly text: string
  /** How Redis names it. */
  readonly sha1: string
}

export interface Keys {
  entry(id: string): string
  /** Begins all entries' keys. */
  readonly entries: string
  readonly index: string
  readonly highest: string
}

export function keysOf(prefix: string): Keys {
  const entries = `${prefix}session:`
  return { entries, entry: (id) => entries + id, index: `${prefix}sessions`, highest: `${prefix}deleted` }
}

/** Numbers of Lua are doubles, which its own conversion to text rounds. */
const HEAD = `
local function text(number) return string.format('%.0f', number) end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`

/** KEYS: entry, index, highest. ARGV: generation, record, id, owner or '', lease in ms, '1' if there are bytes, bytes. */
export const PUT = script(`${HEAD}
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
redis.call('HSET', KEYS[1], 'generation', generation, 'record', ARGV[2], 'updated', text(now))
if ARGV[4] == '' then
  redis.call('HDEL', KEYS[1], 'owner', 'expires')
else
  redis.call('HSET', KEYS[1], 'owner', ARGV[4], 'expires', text(now + ARGV[5]))
end
if ARGV[6] == '1' then redis.call('HSET', KEYS[1], 'bytes', ARGV[7]) end
return generation
`)

/** KEYS: entry. Returns the fields, and the time. */
export const GET = script(`${HEAD}
local fields = redis.call('HMGET', KEYS[1], 'generation', 'record', 'created', 'updated', 'owner', 'expires', 'bytes')
return { text(now), fields }
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

/** KEYS: index. ARGV: beginning of the entries' keys, first id, last id, count. Returns the time and, for each id, the fields and the size. */
export const LIST = script(`${HEAD}
local found = {}
for i, id in ipairs(redis.call('ZRANGEBYLEX', KEYS[1], ARGV[2], ARGV[3], 'LIMIT', 0, ARGV[4])) do
  local key = ARGV[1] .. id
  local fields = redis.call('HMGET', key, 'generation', 'record', 'created', 'updated', 'owner', 'expires')
  found[i] = { id, fields, redis.call('HSTRLEN', key, 'bytes') }
end
return { text(now), found }
`)

function script(text: string): Script {
  return { text, sha1: createHash('sha1').update(text).digest('hex') }
}
