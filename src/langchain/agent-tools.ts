// The agent's tools as functions of Python. Owns how one is called, and what of it cannot be called from there.
import type { RunnableConfig } from '@langchain/core/runnables'
import { toJsonSchema } from '@langchain/core/utils/json_schema'
import type { ForeignTool } from '../presentation/tool-callbacks.js'

/** What is needed of LangChain's tools. */
export interface AgentTool {
  readonly name: string
  readonly description?: string
  readonly schema?: unknown
  invoke(input: unknown, config?: RunnableConfig): Promise<unknown>
}

export function isAgentTool(tool: unknown): tool is AgentTool {
  const { name, invoke } = Object(tool)
  return typeof name === 'string' && typeof invoke === 'function'
}

/** @param currentConfig of the call of Python that runs: the tool gets its callbacks, its state and its context */
export function foreignTool(tool: AgentTool, currentConfig: () => RunnableConfig | undefined): ForeignTool {
  return {
    name: tool.name,
    description: tool.description,
    parameters: schemaOf(tool.schema),
    async call(args, { signal }) {
      const { toolCall: _, ...config } = (currentConfig() ?? {}) as RunnableConfig & { toolCall?: unknown }
      // With a tool call, the result would be text for a model.
      const result = await invoke(tool, args, { ...config, signal })
      if (Object(result).lg_name === 'Command')
        throw new Error(
          `${tool.name} changes the agent's state, so it cannot be called from Python; call it directly`,
        )
      return contentOf(result)
    },
  }
}

async function invoke(tool: AgentTool, args: unknown, config: RunnableConfig): Promise<unknown> {
  try {
    return await tool.invoke(args, config)
  } catch (error) {
    // LangGraph would run the whole call of Python again with the answer, and all that it had done until then.
    if (['GraphInterrupt', 'NodeInterrupt'].includes(Object(error).name))
      throw new Error(`${tool.name} waits for a human, so it cannot be called from Python; call it directly`)
    throw error
  }
}

/** A tool message's content, or the value itself. */
function contentOf(result: unknown): unknown {
  const { content, tool_call_id: id } = Object(result)
  return id === undefined ? result : content
}

function schemaOf(schema: unknown): Record<string, unknown> | undefined {
  if (schema === undefined || schema === null) return undefined
  return toJsonSchema(schema as Parameters<typeof toJsonSchema>[0]) as Record<string, unknown>
}
