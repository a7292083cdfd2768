// A LangChain agent that uses Python to compute with the results of its other tool. A scripted model stands in for a real one.
//
// In a clone, after `npm run build`: `node examples/run.mjs langchain`
import { BaseChatModel } from '@langchain/core/language_models/chat_models'
import { AIMessage, type BaseMessage, ToolMessage } from '@langchain/core/messages'
import { tool } from '@langchain/core/tools'
import { MemorySaver } from '@langchain/langgraph'
import { SessionManager } from 'brumate'
import { pythonMiddleware } from 'brumate/langchain'
import { createAgent } from 'langchain'
import { z } from 'zod'

/** A model that plays back a script: Python code, and a closing sentence. */
class ScriptedModel extends BaseChatModel {
  readonly #turns: { readonly code?: string; readonly text?: string }[]

  constructor(turns: { readonly code?: string; readonly text?: string }[]) {
    super({})
    this.#turns = turns
  }

  override _llmType(): string {
    return 'scripted'
  }

  override bindTools(): this {
    return this
  }

  override async _generate(_: BaseMessage[]) {
    const { code, text = '' } = this.#turns.shift() ?? {}
    const calls = code === undefined ? [] : [{ name: 'run_python', args: { code }, id: crypto.randomUUID() }]
    return { generations: [{ message: new AIMessage({ content: text, tool_calls: calls }), text }] }
  }
}

const getOrders = tool(
  async ({ region }) => Array.from({ length: 1000 }, (_, id) => ({ id, region, total: (id * 37) % 101 })),
  { name: 'get_orders', description: 'All orders of a region.', schema: z.object({ region: z.string() }) },
)
const model = new ScriptedModel([
  { code: "orders = await tools.get_orders(region='north')\nlen(orders)" },
  {
    code: "import statistics\ntotals = [order['total'] for order in orders]\nstatistics.median(totals), totals / 2",
  },
  { code: 'statistics.median(totals), max(totals)' },
  { text: 'Half of the orders are over 50.' },
])

await using manager = await SessionManager.create({ slots: 2 })
const agent = createAgent({
  model,
  tools: [getOrders],
  middleware: [pythonMiddleware({ manager, tools: ['get_orders'], hideTools: true })],
  checkpointer: new MemorySaver(),
})
const input = { messages: [{ role: 'user', content: 'What is the median of the orders in the north?' }] }
const { messages } = await agent.invoke(input, { configurable: { thread_id: 'ada' } })
for (const message of messages) {
  if (AIMessage.isInstance(message))
    for (const { args } of message.tool_calls ?? [])
      console.log(`>>> ${args.code.replaceAll('\n', '\n... ')}`)
  // Of a thousand orders, the model only reads a few words.
  if (ToolMessage.isInstance(message)) console.log(message.text.split('\n').at(-1))
}
console.log(messages.at(-1)?.text)
