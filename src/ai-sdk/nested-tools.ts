// Tools of the AI SDK as functions in Python. Owns the steps that the SDK takes around a call: validation, context, approval.
import type { ToolApprovalStatus, ToolExecutionOptions, ToolSet } from 'ai'
import { denied, namedError } from '../presentation/answers.js'
import type { CallsInOrder } from '../presentation/calls-in-order.js'
import { type ForeignTool, type ToolCallbacks, toolCallbacks } from '../presentation/tool-callbacks.js'
import type { AiSdk } from './sdk.js'

/** A tool call made by Python code. */
export interface NestedCall {
  readonly toolName: string
  readonly input: unknown
  /** The id of the call that runs the code, with a number appended. */
  readonly toolCallId: string
}

/** Decides whether a call runs. Default: `user-approval` if the tool's own `needsApproval` asks for it. */
export type NestedApproval = (call: NestedCall) => ToolApprovalStatus | PromiseLike<ToolApprovalStatus>

export interface NestedOptions {
  readonly sdk: AiSdk
  readonly calls: CallsInOrder<ToolExecutionOptions<unknown>>
  readonly toolApproval: NestedApproval | undefined
}

type Options = ToolExecutionOptions<unknown>
type AnyTool = ToolSet[string]

export class NestedTools {
  readonly callbacks: ToolCallbacks
  readonly #tools = new Map<string, { readonly name: string; readonly tool: AnyTool }>()
  readonly #options: NestedOptions
  #count = 0

  constructor(tools: ToolSet, options: NestedOptions) {
    this.#options = options
    const entries = Object.entries(tools)
    this.callbacks = toolCallbacks(entries.map(([name, tool]) => this.#foreign(name, tool)))
    for (const [i, callback] of Object.keys(this.callbacks).entries()) {
      const [name, tool] = entries[i] as [string, AnyTool]
      this.#tools.set(callback, { name, tool })
    }
  }

  /** Runs a call that was approved while its code was suspended. @param callback the tool's name in Python */
  async runApproved(callback: string, args: unknown, options: Options): Promise<unknown> {
    const found = this.#tools.get(callback)
    if (found === undefined) throw new Error(`there is no tool ${callback}; pass \`tools\` to pythonTool`)
    return execute(found.tool, found.name, await this.#validated(found.tool, args), options)
  }

  #foreign(name: string, tool: AnyTool): ForeignTool {
    const { jsonSchema } = this.#options.sdk.asSchema(tool.inputSchema)
    return {
      name,
      description: typeof tool.description === 'string' ? tool.description : undefined,
      // If the schema is a promise, only the tool's own validation checks arguments.
      // A copy is a plain JSON Schema. zod's object is a Standard Schema as well, and would validate a second time.
      parameters: jsonSchema instanceof Promise ? undefined : { ...jsonSchema },
      call: async (args, { suspend, signal }) => {
        const { calls } = this.#options
        const outer: Options = calls.current ?? { toolCallId: 'python', messages: [], context: undefined }
        const options = { ...outer, toolCallId: `${outer.toolCallId}/${++this.#count}`, abortSignal: signal }
        const input = await this.#validated(tool, args)
        const status = await this.#approvalOf(name, tool, input, options)
        const [type, reason] = typeof status === 'object' ? [status.type, status.reason] : [status, undefined]
        if (type === 'denied') throw denied(name, reason)
        if (type === 'user-approval') return suspend(reason ?? 'it needs approval')
        if (tool.execute === undefined) return suspend('the program answers it')
        return execute(tool, name, input, options)
      },
    }
  }

  async #approvalOf(
    name: string,
    tool: AnyTool,
    input: unknown,
    options: Options,
  ): Promise<ToolApprovalStatus> {
    const { toolApproval } = this.#options
    if (toolApproval) return toolApproval({ toolName: name, input, toolCallId: options.toolCallId })
    const { needsApproval } = tool
    const isNeeded = typeof needsApproval === 'function' ? await needsApproval(input, options) : needsApproval
    return isNeeded === true ? 'user-approval' : undefined
  }

  async #validated(tool: AnyTool, args: unknown): Promise<unknown> {
    const result = await this.#options.sdk.asSchema(tool.inputSchema).validate?.(args)
    if (result === undefined) return args
    if (result.success) return result.value
    throw namedError('TypeError', result.error.message)
  }
}

async function execute(tool: AnyTool, name: string, input: unknown, options: Options): Promise<unknown> {
  if (tool.execute === undefined)
    throw new Error(`${name} has no \`execute\`; answer the call with \`results\``)
  const output: unknown = tool.execute(input, options)
  if (typeof output !== 'object' || output === null || !(Symbol.asyncIterator in output)) return output
  // As in the SDK, all outputs but the last are preliminary.
  let last: unknown
  for await (const one of output as AsyncIterable<unknown>) last = one
  return last
}
