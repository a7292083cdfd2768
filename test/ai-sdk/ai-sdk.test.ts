// Python as a tool of the real AI SDK, with a scripted model.
import { generateText, isStepCount, streamText, type ToolSet, tool } from 'ai'
import { MockLanguageModelV4 } from 'ai/test'
import { MemoryStore, type SessionOptions } from 'brumate'
import { type AiPythonOptions, pythonTool } from 'brumate/ai-sdk'
import { expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { managerForTest } from '../support/manager.js'
import { sharedManager } from '../support/shared-manager.js'

const usage = {
  inputTokens: { total: 1, noCache: 1, cacheRead: undefined, cacheWrite: undefined },
  outputTokens: { total: 1, text: 1, reasoning: undefined },
}

/** A model that calls the tool with each code in turn, then says `done`. */
function scripted(...codes: readonly string[]) {
  const calls = codes.map((code, i) => ({
    content: [
      {
        type: 'tool-call' as const,
        toolCallId: `call-${i}`,
        toolName: 'python',
        input: JSON.stringify({ code }),
      },
    ],
    finishReason: { unified: 'tool-calls' as const, raw: undefined },
    ...{ usage, warnings: [] },
  }))
  const end = {
    content: [{ type: 'text' as const, text: 'done' }],
    finishReason: { unified: 'stop' as const, raw: undefined },
    ...{ usage, warnings: [] },
  }
  return new MockLanguageModelV4({ doGenerate: [...calls, end] })
}

async function session(options: SessionOptions = {}) {
  const made = await (await sharedManager({ slots: 2 })).createSession(options)
  onTestFinished(() => made.close())
  return made
}

/** The output of the last tool call, as the model received it. */
function lastOutput(model: MockLanguageModelV4): unknown {
  const message = model.doGenerateCalls.at(-1)?.prompt.at(-1)
  if (message?.role !== 'tool') throw new Error('no tool message')
  const part = message.content.at(-1)
  return part?.type === 'tool-result' ? part.output : undefined
}

const stopWhen = isStepCount(9)

test('a model runs code in one session and reads output, values, errors and figures', async () => {
  const python = await pythonTool({ session: await session() })
  const model = scripted(
    'x = 41\nprint("hi")\nx + 1',
    'class P:\n    def _repr_png_(self): return b"\\x89PNG"\nx += 1\nP()',
    'x / 0',
  )
  const { steps, text } = await generateText({ model, tools: { python }, stopWhen, prompt: 'go' })
  expect(text).toBe('done')
  const outputs = steps.flatMap(({ toolResults }) => toolResults.map(({ output }) => output))
  expect(outputs).toMatchObject([
    { text: 'hi\n[value]\n42', isError: false, result: { value: 42, stdout: 'hi\n' } },
    { images: [{ mediaType: 'image/png', data: 'iVBORw==' }] },
    { isError: true, result: { error: { type: 'ZeroDivisionError' } } },
  ])
  expect(JSON.parse(JSON.stringify(outputs))).toEqual(outputs)
  const [first] = model.doGenerateCalls
  expect(first?.tools?.[0]).toMatchObject({
    name: 'python',
    description: expect.stringContaining('Python 3.14'),
  })
  expect(lastOutput(model)).toEqual({
    type: 'error-text',
    value: expect.stringMatching(/^Traceback[\s\S]*ZeroDivisionError: division by zero$/),
  })
  const images = model.doGenerateCalls[2]?.prompt.at(-1)?.content.at(-1)
  expect(images).toMatchObject({
    output: { type: 'content', value: [{ type: 'text' }, { mediaType: 'image/png' }] },
  })
})

const seen: unknown[] = []
const tools = {
  inventory: tool({
    description: 'Units in stock.',
    inputSchema: z.object({
      product: z.string().describe('Its number.'),
      where: z.string().default('Berlin'),
    }),
    contextSchema: z.object({ user: z.string() }),
    execute: ({ product, where }, { context, toolCallId }) => {
      seen.push([product, where, context.user, toolCallId])
      return { product, units: 42 }
    },
  }),
  'even-number': tool({
    inputSchema: z.object({ n: z.number().refine((n) => n % 2 === 0, 'not even') }),
    async *execute({ n }) {
      yield n
      yield n * 2
    },
  }),
}

test('as a local tool caller, code can call the tools routed to it, with the SDK’s validation and context', async () => {
  const python = await pythonTool({ session: await session() })
  const model = scripted(
    `import asyncio
a, b = await asyncio.gather(tools.inventory('a'), tools.inventory(product='b', where='Rome'))
a['units'] + b['units'] + await tools.even_number(4)`,
    'await tools.even_number(n=3)',
    'await tools.inventory(product=1)',
  )
  const { steps } = await generateText({
    ...{ model, stopWhen, prompt: 'go' },
    tools: { python, ...tools },
    toolsContext: { python: { user: 'ada' }, inventory: { user: 'bob' } } as never,
    experimental_toolCallers: {
      inventory: ['python'],
      'even-number': ['python', 'AI_SDK_DIRECT_TOOL_CALL'],
    },
  })
  const [first, second, third] = steps.flatMap(({ toolResults }) =>
    toolResults.map(({ output }) => output as never),
  )
  expect(first).toMatchObject({ result: { value: 92 } })
  expect(second).toMatchObject({
    result: { error: { type: 'TypeError', message: expect.stringContaining('not even') } },
  })
  expect(third).toMatchObject({ result: { error: { type: 'TypeError' } } })
  expect(seen).toEqual([
    ['a', 'Berlin', 'ada', 'call-0/1'],
    ['b', 'Rome', 'ada', 'call-0/2'],
  ])
  const given = model.doGenerateCalls[0]?.tools ?? []
  expect(given.map(({ name }) => name)).toEqual(['python', 'even-number'])
  expect(given[0]).toMatchObject({
    description: expect.stringContaining('async def inventory(product: str, where: str'),
  })
})

test('the SDK asks for approval before running code, and runs it once approved', async () => {
  const python = await pythonTool({ session: await session() })
  const options = { tools: { python }, toolApproval: { python: 'user-approval' as const }, stopWhen }
  const messages: Parameters<typeof generateText>[0]['messages'] = [{ role: 'user', content: 'go' }]
  const first = await generateText({ ...options, model: scripted('6 * 7'), messages })
  const request = first.content.find((part) => part.type === 'tool-approval-request')
  expect(request).toMatchObject({ toolCall: { input: { code: '6 * 7' } } })
  messages.push(...first.response.messages, {
    role: 'tool',
    content: [
      {
        type: 'tool-approval-response',
        approvalId: (request as { approvalId: string }).approvalId,
        approved: true,
      },
    ],
  })
  const model = scripted()
  await generateText({ ...options, model, messages })
  expect(lastOutput(model)).toEqual({ type: 'text', value: '42' })
})

test('a call that needs approval suspends the code, and another process can resume it', async () => {
  const refunds: unknown[] = []
  const shop = {
    refund: tool({
      inputSchema: z.object({ order: z.number() }),
      needsApproval: ({ order }) => order > 1,
      execute: ({ order }) => refunds.push(order),
    }),
  } satisfies ToolSet
  const store = new MemoryStore()
  const code = 'done = []\nfor order in [1, 2, 3]:\n    done.append(await tools.refund(order))\ndone'
  const first = await managerForTest({ slots: 1, store })
  const one = await first.createSession({ id: 'chat-1' })
  const python = await pythonTool({ session: one, tools: shop })
  const model = scripted(code, 'done')
  await generateText({ model, tools: { python }, stopWhen: isStepCount(3), prompt: 'go' })
  expect(lastOutput(model)).toMatchObject({
    type: 'error-text',
    value: expect.stringContaining(
      'nothing ran: earlier code is waiting for an answer to refund from outside the session',
    ),
  })
  expect(one.pending).toMatchObject([{ name: 'refund', args: { order: 2 }, reason: 'it needs approval' }])
  expect(refunds).toEqual([1])
  await first.close()

  const second = await managerForTest({ slots: 1, store })
  const two = await second.openSession('chat-1')
  const again = await pythonTool({ session: two, tools: shop })
  const idOf = () => two.pending[0]?.id ?? ''
  const next = await again.resume({ approvals: { [idOf()]: true } })
  expect(next).toMatchObject({ result: { status: 'suspended', pending: [{ args: { order: 3 } }] } })
  const last = await again.resume({ approvals: { [idOf()]: false } })
  expect(last).toMatchObject({ isError: true, result: { error: { type: 'PermissionError' } } })
  expect(refunds).toEqual([1, 2])
})

test('toolApproval decides about calls, and the program answers tools that have no execute function', async () => {
  const toolApproval: AiPythonOptions['toolApproval'] = ({ toolName }) =>
    toolName === 'rm' ? 'denied' : undefined
  const inputSchema = z.object({})
  const python = await pythonTool({
    session: await session(),
    tools: {
      rm: tool({ inputSchema, execute: () => 'gone' }),
      ask: tool({ inputSchema, outputSchema: z.string() }),
    },
    toolApproval,
  })
  const options = { toolCallId: '1', messages: [], context: undefined }
  const run = async (code: string) => python.execute?.({ code }, options as never)
  expect(await run('await tools.rm()')).toMatchObject({
    text: expect.stringMatching(/PermissionError: rm: it was denied$/),
  })
  const asked = (await run('await tools.ask()')) as unknown as { result: { pending: [{ id: string }] } }
  expect(await python.resume({ results: { [asked.result.pending[0].id]: 'blue' } })).toMatchObject({
    result: { value: 'blue' },
  })
  await expect(python.resume({ approvals: { '99': true } })).rejects.toThrow(/no host call is pending/)
})

test('when its signal aborts, streamText interrupts the code and the session stays usable', async () => {
  const own = await session()
  const python = await pythonTool({ session: own })
  const controller = new AbortController()
  own.setCallbacks({ started: () => controller.abort() })
  const call = { type: 'tool-call' as const, toolCallId: '1', toolName: 'python' }
  const model = new MockLanguageModelV4({
    doStream: async () => ({
      stream: new ReadableStream({
        start(stream) {
          stream.enqueue({ type: 'stream-start', warnings: [] })
          stream.enqueue({
            ...call,
            input: JSON.stringify({ code: 'x = 1\nawait started()\nwhile True: pass' }),
          })
          stream.enqueue({ type: 'finish', usage, finishReason: { unified: 'tool-calls', raw: undefined } })
          stream.close()
        },
      }),
    }),
  })
  const result = streamText({ model, tools: { python }, prompt: 'go', abortSignal: controller.signal })
  const kinds: string[] = []
  for await (const { type } of result.stream) kinds.push(type)
  expect(kinds).toContain('abort')
  expect((await own.execute('x')).value).toBe(1)
})
