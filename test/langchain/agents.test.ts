// `brumate/langchain` in LangChain agents, with a scripted model.
import { type BaseMessage, ToolMessage } from '@langchain/core/messages'
import { tool } from '@langchain/core/tools'
import { Command, interrupt, MemorySaver } from '@langchain/langgraph'
import { InvalidOptionError, type SessionManager } from 'brumate'
import { pythonMiddleware, pythonTool } from 'brumate/langchain'
import { createAgent } from 'langchain'
import { beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { sharedManager } from '../support/shared-manager.js'
import { python, ScriptedModel, type Turn } from './support/scripted-model.js'

let manager: SessionManager
let threads = 0

beforeAll(async () => {
  manager = await sharedManager({ slots: 2 })
})

const getOrders = tool(async ({ region }) => [1, 2, 3].map((id) => ({ id, region, total: id * 10 })), {
  name: 'get_orders',
  description: 'All orders of a region.',
  schema: z.object({ region: z.string() }),
})
const approve = tool(async ({ what }) => interrupt(`Is ${what} right?`), {
  name: 'approve',
  description: 'Asks a human.',
  schema: z.object({ what: z.string() }),
})

const nextThread = () => ({ configurable: { thread_id: `thread-${++threads}` } })

function toolTexts(messages: readonly BaseMessage[]): string[] {
  return messages.filter((message) => ToolMessage.isInstance(message)).map((message) => message.text)
}

async function run(
  turns: Turn[],
  options: Partial<Parameters<typeof pythonMiddleware>[0]> = {},
  config = nextThread(),
) {
  const model = new ScriptedModel(...turns)
  const middleware = [pythonMiddleware({ manager, ...options })]
  const agent = createAgent({
    model,
    tools: [getOrders, approve],
    middleware,
    checkpointer: new MemorySaver(),
  })
  const { messages } = await agent.invoke({ messages: [{ role: 'user', content: 'go' }] }, config)
  return { model, messages, texts: toolTexts(messages) }
}

describe('the middleware', () => {
  test('keeps variables between calls, and reports errors to the model', async () => {
    const { texts, messages } = await run([
      python('x = 41\nprint("hi")'),
      python('x + 1'),
      python('x / 0'),
      'bye',
    ])
    expect(texts.slice(0, 2)).toEqual(['hi', '42'])
    expect(texts[2]).toMatch(/ZeroDivisionError: division by zero$/)
    expect(messages.at(-1)?.text).toBe('bye')
    const [first] = messages.filter((message) => ToolMessage.isInstance(message))
    expect(first?.artifact).toMatchObject({ status: 'ok', stdout: 'hi\n' })
  })

  test('lets code call the agent’s tools, and their results stay in Python', async () => {
    const code = "orders = await tools.get_orders(region='north')\nsum(order['total'] for order in orders)"
    const { texts, model } = await run([python(code), python('orders[0]')], { tools: ['get_orders'] })
    expect(texts).toEqual(['60', "{'id': 1, 'region': 'north', 'total': 10}"])
    expect(model.seen[0]?.[0]?.text).toMatch(/async def get_orders\(region: str[\s\S]*All orders of a region/)
    expect(model.toolNames[0]).toEqual(expect.arrayContaining(['get_orders', 'run_python']))
  })

  test('hides those tools from the model with hideTools', async () => {
    const { model } = await run(['hi'], { tools: ['get_orders'], hideTools: true })
    expect(model.toolNames[0]?.sort()).toEqual(['approve', 'run_python'])
  })

  test('gives code only the tools that were named', async () => {
    const { texts } = await run([python("await tools.get_orders(region='north')")])
    expect(texts[0]).toMatch(/AttributeError|get_orders/)
  })

  test('raises a tool’s errors and schema violations in Python', async () => {
    const [text] = (await run([python('await tools.get_orders(region=1)')], { tools: 'all' })).texts
    expect(text).toMatch(/region/)
    expect(text).toMatch(/Error/)
  })

  test('pauses where a tool asks a human, and continues there with the answer', async () => {
    const code = `
print('before')
first = await tools.approve(what='a')
second = await tools.approve(what='b')
orders = await tools.get_orders(region='north')
[first, second, len(orders)]`
    const model = new ScriptedModel(python(code), 'bye')
    const middleware = [pythonMiddleware({ manager, tools: 'all' })]
    const agent = createAgent({
      model,
      tools: [getOrders, approve],
      middleware,
      checkpointer: new MemorySaver(),
    })
    const thread = nextThread()
    const questionOf = (state: object) =>
      (state as { __interrupt__?: { value: unknown }[] }).__interrupt__?.[0]?.value
    const asked = await agent.invoke({ messages: [{ role: 'user', content: 'go' }] }, thread)
    expect(questionOf(asked)).toBe('Is a right?')
    const again = await agent.invoke(new Command({ resume: 'yes' }) as never, thread)
    expect(questionOf(again)).toBe('Is b right?')
    const { messages } = await agent.invoke(new Command({ resume: 'no' }) as never, thread)
    expect(toolTexts(messages)).toEqual(["before\n['yes', 'no', 3]"])
    expect(messages.at(-1)?.text).toBe('bye')
  })

  test('drops an unanswered question when the conversation continues', async () => {
    const model = new ScriptedModel(python("n = 1\nawait tools.approve(what='a')"), python('n'), 'bye')
    const middleware = [pythonMiddleware({ manager, tools: 'all' })]
    const agent = createAgent({ model, tools: [approve], middleware })
    const thread = nextThread()
    const checkpointer = new MemorySaver()
    const first = createAgent({ model, tools: [approve], middleware, checkpointer })
    await first.invoke({ messages: [{ role: 'user', content: 'go' }] }, thread)
    const { messages } = await agent.invoke({ messages: [{ role: 'user', content: 'go on' }] }, thread)
    expect(toolTexts(messages)).toEqual(['1'])
  })

  test('allows only one open question at a time', async () => {
    const code = "import asyncio\nawait asyncio.gather(tools.approve(what='a'), tools.approve(what='b'))"
    const { texts } = await run([python(code)], { tools: 'all' })
    expect(texts[0]).toMatch(/approve waits for a human, and so does another tool; await one after the other/)
  })

  test('gives each thread its own session, which persists across runs', async () => {
    const thread = nextThread()
    await run([python('n = 1')], {}, thread)
    expect((await run([python('n')], {}, thread)).texts).toEqual(['1'])
    expect((await run([python('n')])).texts[0]).toMatch(/NameError/)
    const address = { configurable: { thread_id: 'ada@example.com / 1' } }
    expect((await run([python('n = 2'), python('n')], {}, address)).texts).toEqual(['(no output)', '2'])
  })

  test('runs the calls of one turn one after another', async () => {
    const model = new ScriptedModel()
    const agent = createAgent({ model, tools: [], middleware: [pythonMiddleware({ manager })] })
    const calls = ['a = []', 'a.append(1)', 'a'].map((code, i) => ({
      name: 'run_python',
      args: { code },
      id: `${i}`,
    }))
    const input = {
      messages: [
        { role: 'user', content: 'go' },
        { role: 'assistant', content: '', tool_calls: calls },
      ],
    }
    const { messages } = await agent.invoke(input as never, nextThread())
    expect(messages.length).toBeGreaterThan(2)
  })

  test('requires a thread_id, and rejects invalid options', async () => {
    const agent = createAgent({
      model: new ScriptedModel(),
      tools: [],
      middleware: [pythonMiddleware({ manager })],
    })
    await expect(agent.invoke({ messages: [{ role: 'user', content: 'go' }] })).rejects.toThrow(/thread_id/)
    expect(() => pythonMiddleware({ manager: undefined as never })).toThrow(InvalidOptionError)
    expect(() => pythonMiddleware({ manager, tool: [] } as never)).toThrow(/did you mean|unknown/i)
  })
})

describe('the plain tool', () => {
  test('runs code in its session, and returns images as content blocks', async () => {
    await using session = await manager.createSession()
    const runPython = pythonTool({ session })
    expect(runPython.description).toMatch(/Python 3\.14/)
    const agent = createAgent({
      model: new ScriptedModel(python('x = 2'), python('x ** 10')),
      tools: [runPython],
    })
    const { messages } = await agent.invoke({ messages: [{ role: 'user', content: 'go' }] })
    expect(toolTexts(messages)).toEqual(['(no output)', '1024'])

    const code = "class Figure:\n    def _repr_png_(self): return b'png'\nFigure()"
    const message = await runPython.invoke({ name: 'run_python', args: { code }, id: '1', type: 'tool_call' })
    expect(message.content).toMatchObject([
      { type: 'text' },
      {
        type: 'image_url',
        image_url: { url: `data:image/png;base64,${Buffer.from('png').toString('base64')}` },
      },
    ])
  })
})
