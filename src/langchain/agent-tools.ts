// The agent's tools as functions in Python. Owns how a tool is called, and which tools cannot be called from Python.
import type { RunnableConfig } from '@langchain/core/runnables'
import { toJsonSchema } from '@langchain/core/utils/json_schema'
import type { ForeignTool } from '../presentation/tool-callbacks.js'
import { isInterrupt, type RunningCall, suspendFor } from './interrupts.js'

/** The part of LangChain's tools that is used. */
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

/** @param runningCall the running call of Python, whose callbacks, state and context the tool gets */
export function foreignTool(tool: AgentTool, runningCall: () => RunningCall | undefined): ForeignTool {
  return {
    name: tool.name,
    description: tool.description,
    parameters: schemaOf(tool.schema),
    async call(args, context) {
      const running = runningCall()
      // With a tool call in the config, the result would be text for a model.
      const { toolCall: _, ...config } = (running?.config ?? {}) as RunnableConfig & { toolCall?: unknown }
      try {
        const result = await tool.invoke(args, { ...config, signal: context.signal })
        if (Object(result).lg_name !== 'Command') return contentOf(result)
      } catch (error) {
        if (running === undefined || !isInterrupt(error)) throw error
        suspendFor(error, tool.name, running, context)
      }
      throw new Error(
        `${tool.name} changes the agent's state, so it cannot be called from Python; call it directly`,
      )
    },
  }
}

/** The content of a tool message; any other value is returned as it is. */
function contentOf(result: unknown): unknown {
  const { content, tool_call_id: id } = Object(result)
  return id === undefined ? result : content
}

function schemaOf(schema: unknown): Record<string, unknown> | undefined {
  if (schema === undefined || schema === null) return undefined
  return toJsonSchema(schema as Parameters<typeof toJsonSchema>[0]) as Record<string, unknown>
}
