// The agent's tools as functions of Python. Owns how one is called, and what of it cannot be called from there.
import type { RunnableConfig } from '@langchain/core/runnables'
import { toJsonSchema } from '@langchain/core/utils/json_schema'
import type { ForeignTool } from '../presentation/tool-callbacks.js'
import { isInterrupt, type RunningCall, suspendFor } from './interrupts.js'

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

/** @param runningCall the call of Python that runs: the tool gets its callbacks, its state and its context */
export function foreignTool(tool: AgentTool, runningCall: () => RunningCall | undefined): ForeignTool {
  return {
    name: tool.name,
    description: tool.description,
    parameters: schemaOf(tool.schema),
    async call(args, context) {
      const running = runningCall()
      // With a tool call, the result would be text for a model.
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

/** A tool message's content, or the value itself. */
function contentOf(result: unknown): unknown {
  const { content, tool_call_id: id } = Object(result)
  return id === undefined ? result : content
}

function schemaOf(schema: unknown): Record<string, unknown> | undefined {
  if (schema === undefined || schema === null) return undefined
  return toJsonSchema(schema as Parameters<typeof toJsonSchema>[0]) as Record<string, unknown>
}
