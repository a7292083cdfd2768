// Handlers of variables and snapshots. Owns reading an upload into memory, within its bound.
import { ReadableStream } from 'node:stream/web'
import { wireValue } from '../presentation/wire-execution.js'
import type { Value } from '../shared/values/value.js'
import { RequestProblem } from './problems.js'
import type { Routes } from './routes.js'
import type { App, ServerContext, Services } from './services.js'
import { exactValue, opening } from './session-handlers.js'
import { streamResponse } from './stream-response.js'

export function valueHandlers(app: App, routes: Routes, { sessions, options }: Services): void {
  app.openapi(routes.getVariable, async (c) => {
    const { id, name } = c.req.valid('param')
    const { values = 'json' } = c.req.valid('query')
    const value = await sessions.use(c.get('caller').tenant, id, opening(c), (session) => session.get(name))
    return c.json({ value: wireValue(value, values) }, 200) as never
  })

  app.openapi(routes.setVariable, async (c) => {
    const { id, name } = c.req.valid('param')
    const { value, values } = c.req.valid('json')
    const given = values === 'exact' ? exactValue(value) : value
    await sessions.use(c.get('caller').tenant, id, opening(c), (session) => session.set(name, given as Value))
    return c.body(null, 204)
  })

  app.openapi(routes.getSnapshot, async (c) => {
    const { id } = c.req.valid('param')
    const { tenant } = c.get('caller')
    const snapshot = await sessions.use(tenant, id, opening(c), (session) => session.snapshotState())
    const chunks = snapshot.chunks()
    const stream = new ReadableStream<Uint8Array>({
      pull(controller) {
        const { done, value } = chunks.next()
        if (done) controller.close()
        else controller.enqueue(value)
      },
    })
    return streamResponse(stream, {
      headers: {
        'content-type': 'application/vnd.brumate.snapshot',
        'content-length': String(snapshot.size),
        'content-disposition': `attachment; filename="${id}.snapshot"`,
      },
    }) as never
  })

  app.openapi(routes.putSnapshot, async (c) => {
    const { id } = c.req.valid('param')
    const { tenant } = c.get('caller')
    const salvage = c.req.valid('query').salvage === 'true'
    const bytes = await uploaded(c, options.maxUploadBytes)
    const lostGlobals = await sessions.use(tenant, id, opening(c), (session) =>
      session.restoreState(bytes, { salvage }),
    )
    return c.json({ lostGlobals }, 200)
  })
}

/** The parts of an upload, as they come. @throws RequestProblem when it is longer than it may be */
export async function* partsOf(c: ServerContext, maxBytes: number): AsyncGenerator<Uint8Array> {
  let sizeBytes = 0
  const body = c.req.raw.body as ReadableStream<Uint8Array> | null
  for await (const part of body ?? []) {
    sizeBytes += part.length
    if (sizeBytes > maxBytes)
      throw new RequestProblem(413, 'TOO_LARGE', `a body of more than ${maxBytes} bytes`)
    yield part
  }
}

async function uploaded(c: ServerContext, maxBytes: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for await (const part of partsOf(c, maxBytes)) parts.push(part)
  return Buffer.concat(parts)
}
