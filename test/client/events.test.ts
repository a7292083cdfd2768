// Parsing server-sent events, in parts as a network delivers them.
import { expect, test } from 'vitest'
import { eventsOf, type ServerSentEvent } from '../../src/client/events.js'

const PART_BYTES = 65_536

async function read(text: string, partBytes = PART_BYTES): Promise<ServerSentEvent[]> {
  const bytes = new TextEncoder().encode(text)
  let at = 0
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (at >= bytes.length) return controller.close()
      controller.enqueue(bytes.subarray(at, at + partBytes))
      at += partBytes
    },
  })
  const found: ServerSentEvent[] = []
  for await (const event of eventsOf(body, () => {})) found.push(event)
  return found
}

test.each([1, 2, 3, 7, PART_BYTES])('events arrive whole in parts of %s bytes', async (partBytes) => {
  const text =
    ': a comment\r\n\r\nevent: output\r\ndata: {"text":\r\ndata: "ü🦙"}\r\n\r\ndata:1\n\n\nevent: result\ndata: cut off\n'
  expect(await read(text, partBytes)).toEqual([
    { name: 'output', data: '{"text":\n"ü🦙"}' },
    { name: 'message', data: '1' },
  ])
})

test('the work for one large event does not grow faster than its size', async () => {
  const cpuMsOf = async (text: string) => {
    const before = process.cpuUsage()
    await read(text)
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 1000
  }
  const event = (megabytes: number) => `event: result\ndata: "${'x'.repeat(megabytes * 2 ** 20)}"\n\n`
  const small = await cpuMsOf(event(1).repeat(32))
  expect(await cpuMsOf(event(32))).toBeLessThan(4 * small + 500)
})
