// Python as a runnable tool of the real Anthropic SDK, against a scripted server on loopback.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import Anthropic from '@anthropic-ai/sdk'
import { betaTool } from '@anthropic-ai/sdk/helpers/beta/json-schema'
import { MemoryStore, type SessionOptions } from 'brumate'
import { type AnthropicPythonOptions, pythonTool } from 'brumate/anthropic'
import { expect, onTestFinished, test } from 'vitest'
import { managerForTest } from '../support/manager.js'
import { sharedManager } from '../support/shared-manager.js'

interface Request {
  readonly tools: readonly { readonly name: string; readonly description: string }[]
  readonly messages: readonly { readonly content: readonly Record<string, unknown>[] }[]
}

/** A server whose model calls the tool with each code in turn, then says `done`. */
async function scripted(...codes: readonly string[]) {
  const requests: Request[] = []
  const server = createServer(async (request, response) => {
    const code = codes[requests.length]
    requests.push(JSON.parse(await text(request)))
    const content =
      code === undefined
        ? { type: 'text', text: 'done' }
        : { type: 'tool_use', id: `call-${requests.length}`, name: 'run_python', input: { code } }
    response.setHeader('content-type', 'application/json')
    response.end(
      JSON.stringify({
        ...{ id: 'm', type: 'message', role: 'assistant', model: 'scripted', content: [content] },
        stop_reason: code === undefined ? 'end_turn' : 'tool_use',
        usage: { input_tokens: 1, output_tokens: 1 },
      }),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { requests, client: new Anthropic({ baseURL, apiKey: 'none', maxRetries: 0 }) }
}

async function session(options: SessionOptions = {}) {
  const made = await (await sharedManager({ slots: 2 })).createSession(options)
  onTestFinished(() => made.close())
  return made
}

/** Runs each code as a tool call of the model. @returns the tool's results, and the first request */
async function converse(options: AnthropicPythonOptions, ...codes: readonly string[]) {
  const { client, requests } = await scripted(...codes)
  const python = await pythonTool(options)
  const last = await client.beta.messages.toolRunner({
    ...{ model: 'scripted', max_tokens: 99, tools: [python] },
    messages: [{ role: 'user', content: 'go' }],
  })
  expect(last.content).toMatchObject([{ text: 'done' }])
  const results = requests.slice(1).map(({ messages }) => messages.at(-1)?.content[0])
  return { results, first: requests[0] }
}

test('the tool runner runs code in one session, and the model reads output, values, errors and figures', async () => {
  const { results, first } = await converse(
    { session: await session() },
    'x = 41\nprint("hi")\nx + 1',
    'class P:\n    def _repr_png_(self): return b"\\x89PNG"\nx += 1\nP()',
    'x / 0',
  )
  expect(first?.tools).toMatchObject([
    {
      name: 'run_python',
      description: expect.stringContaining('Python 3.14'),
      input_schema: { required: ['code'] },
    },
  ])
  expect(results).toMatchObject([
    { content: [{ type: 'text', text: 'hi\n[value]\n42' }] },
    { content: [{ type: 'text' }, { type: 'image', source: { media_type: 'image/png', data: 'iVBORw==' } }] },
    { is_error: true, content: [{ text: expect.stringMatching(/ZeroDivisionError: division by zero$/) }] },
  ])
})

const stock = betaTool({
  name: 'stock',
  description: 'Units in stock.',
  inputSchema: { type: 'object', properties: { product: { type: 'string' } }, required: ['product'] },
  run: ({ product }, context) => `${product} in ${context?.toolUse.id}`,
})

test('code can call other runnable tools: images arrive as bytes, and errors are raised', async () => {
  const picture = betaTool({
    ...{ name: 'picture', description: '', inputSchema: { type: 'object' } as const },
    run: () => [
      { type: 'text' as const, text: 'a' },
      {
        type: 'image' as const,
        source: { type: 'base64' as const, media_type: 'image/png' as const, data: 'iVBORw==' },
      },
    ],
  })
  const broken = betaTool({
    ...{ name: 'broken', description: '', inputSchema: { type: 'object' } as const },
    run: (): string => {
      throw new Error('it broke')
    },
  })
  const { results, first } = await converse(
    { session: await session(), tools: [stock, picture, broken] },
    'await tools.stock("a")',
    '(await tools.picture())[1]["data"]',
    'await tools.broken()',
  )
  expect(first?.tools.map(({ name }) => name)).toEqual(['run_python'])
  expect(first?.tools[0]?.description).toContain('async def stock(product: str) -> Any:')
  expect(results).toMatchObject([
    { content: [{ text: "'a in call-1'" }] },
    { content: [{ text: "b'\\x89PNG'" }] },
    { is_error: true, content: [{ text: expect.stringContaining('it broke') }] },
  ])
  await expect(pythonTool({ session: await session(), tools: [{} as never] })).rejects.toThrow(
    /tools\[0\]: expected/,
  )
})

test('a call that needs approval suspends the code, and another process can resume it', async () => {
  const store = new MemoryStore()
  const first = await managerForTest({ slots: 1, store })
  const options = { tools: [stock], needsApproval: ({ name }: { name: string }) => name === 'stock' }
  const { results } = await converse(
    { ...options, session: await first.createSession({ id: 'chat-1' }) },
    'got = await tools.stock("a")\ngot.upper()',
    '1',
  )
  expect(results).toMatchObject([
    { content: [{ text: '[waiting] stock has no answer yet: it needs approval' }] },
    {
      is_error: true,
      content: [
        {
          text: expect.stringContaining(
            'nothing ran: earlier code is waiting for an answer to stock from outside the session',
          ),
        },
      ],
    },
  ])
  await first.close()

  const second = await managerForTest({ slots: 1, store })
  const session = await second.openSession('chat-1')
  const python = await pythonTool({ ...options, session })
  const outcome = await python.resume({ approvals: { [session.pending[0]?.id ?? '']: true } })
  expect(outcome).toMatchObject({ isError: false, structured: { value: 'A IN UNDEFINED' } })
})

test('invalid tool arguments are reported to the model as an error', async () => {
  const { results } = await converse({ session: await session() }, 1 as never)
  expect(results).toMatchObject([
    { is_error: true, content: [{ text: expect.stringMatching(/code: expected a string/) }] },
  ])
})
