// Server-sent events, https://html.spec.whatwg.org/multipage/server-sent-events.html, as far as brumate's server uses them. Owns parsing
// the stream of bytes.

export interface ServerSentEvent {
  readonly name: string
  readonly data: string
}

/** @param onBytes called whenever bytes arrive, comments included: the server is alive */
export async function* eventsOf(
  body: ReadableStream<Uint8Array>,
  onBytes: () => void,
): AsyncGenerator<ServerSentEvent, void> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let buffer = ''
  let event: { name: string; data: string[] } = { name: 'message', data: [] }
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      onBytes()
      buffer += decoder.decode(value, { stream: true })
      let from = 0
      for (let end = buffer.indexOf('\n', from); end >= 0; end = buffer.indexOf('\n', from)) {
        const line = buffer.slice(from, end).replace(/\r$/, '')
        from = end + 1
        if (line !== '') {
          readLine(line, event)
          continue
        }
        if (event.data.length > 0) yield { name: event.name, data: event.data.join('\n') }
        event = { name: 'message', data: [] }
      }
      buffer = buffer.slice(from)
    }
  } finally {
    await reader.cancel().catch(() => {})
  }
}

function readLine(line: string, event: { name: string; data: string[] }): void {
  const colon = line.indexOf(':')
  const field = colon < 0 ? line : line.slice(0, colon)
  const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
  if (field === 'event') event.name = value
  if (field === 'data') event.data.push(value)
}
