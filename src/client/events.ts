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
  /** Parts of a line that has not ended yet. Joined at its end, so that a long line is not copied with each part. */
  let parts: string[] = []
  let event: { name: string; data: string[] } = { name: 'message', data: [] }
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      onBytes()
      const text = decoder.decode(value, { stream: true })
      let from = 0
      for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', from)) {
        parts.push(text.slice(from, end))
        const line = parts.join('').replace(/\r$/, '')
        parts = []
        from = end + 1
        if (line !== '') {
          readLine(line, event)
          continue
        }
        if (event.data.length > 0) yield { name: event.name, data: event.data.join('\n') }
        event = { name: 'message', data: [] }
      }
      if (from < text.length) parts.push(text.slice(from))
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
