// Python as a function tool of the OpenAI Agents SDK, whose code calls the agent's other tools. Owns the format of its output, and which
// calls of the code wait for approval.
import type { FunctionTool, RunContext } from '@openai/agents'
import { isFunction } from '../options/check.js'
import { answerCalls, type PythonAnswers } from '../presentation/answers.js'
import { CallsInOrder } from '../presentation/calls-in-order.js'
import {
  type ModelOutcome,
  PYTHON_ARGUMENTS,
  type PythonCall,
  PythonTool,
  type PythonToolOptions,
  toolName,
} from '../presentation/python-tool.js'
import { type ForeignTool, type ToolCallbacks, toolCallbacks } from '../presentation/tool-callbacks.js'
import { toBase64 } from '../shared/base64.js'
import { InvalidOptionError } from '../shared/errors.js'
import { type AgentsSdk, loadAgentsSdk } from './sdk.js'

// biome-ignore lint/suspicious/noExplicitAny: tools of any context, arguments and results
type AnyTool = FunctionTool<any, any, any>

export interface AgentPythonOptions extends PythonToolOptions {
  /** The tool's name for the model. Default `run_python`. */
  readonly name?: string
  /**
   * Function tools that code calls as `tools.NAME`, instead of the session's callbacks. If a tool needs approval, its call suspends the
   * execution until `resume`. `isEnabled` is ignored, and tools with guardrails are rejected. Default: the session's callbacks.
   */
  // biome-ignore lint/suspicious/noExplicitAny: tools of any context, arguments and results
  readonly tools?: readonly FunctionTool<any, any, any>[]
  /** Whether a human must approve code before it runs: the run is interrupted for that. Default false. */
  readonly needsApproval?:
    | boolean
    | ((context: RunContext, input: { readonly code: string }, callId?: string) => Promise<boolean>)
}

export type PythonOutput =
  | string
  | (
      | { readonly type: 'text'; readonly text: string }
      | { readonly type: 'image'; readonly image: { readonly data: string; readonly mediaType: string } }
    )[]

// biome-ignore lint/suspicious/noExplicitAny: for agents of any context
export interface AgentPythonTool extends FunctionTool<any, any, PythonOutput> {
  /**
   * Continues a suspended execution, in any process. The outcome may be suspended again.
   *
   * @param call.context run context for the approved tools
   * @throws InvalidOptionError for an id that is not pending
   */
  resume(answers: PythonAnswers, call?: PythonCall & { readonly context?: unknown }): Promise<ModelOutcome>
}

interface OuterCall {
  readonly runContext: RunContext
  readonly signal: AbortSignal | undefined
}

/**
 * A tool that runs Python in the session.
 *
 * @throws InstallationError if `@openai/agents` is not installed
 * @throws InvalidOptionError
 */
export async function pythonTool(options: AgentPythonOptions): Promise<AgentPythonTool> {
  const python = new PythonTool(options, ['name', 'tools', 'needsApproval'])
  const name = toolName(options.name)
  if (typeof options.needsApproval !== 'boolean') isFunction('needsApproval', options.needsApproval)
  if (options.tools !== undefined && !Array.isArray(options.tools))
    throw new InvalidOptionError('tools', 'an array of function tools', options.tools)
  const sdk = await loadAgentsSdk()
  const calls = new CallsInOrder<OuterCall>()
  const tools = options.tools && new NestedTools(options.tools, sdk, calls)
  let isGiven = false
  const give = async () => {
    if (tools && !isGiven) await python.setCallbacks(tools.callbacks)
    isGiven = true
  }
  const tool = sdk.tool({
    name,
    description: python.describe(tools?.callbacks),
    parameters: { ...PYTHON_ARGUMENTS, required: ['code'] },
    needsApproval: (options.needsApproval ?? false) as boolean,
    execute: (input, runContext, details) =>
      calls.run({ runContext: runContext as RunContext, signal: details?.signal }, async () => {
        await give()
        const { code } = Object(input) as { code: string }
        return outputOf(await python.run(code, { signal: details?.signal }))
      }),
  })
  const resume: AgentPythonTool['resume'] = async (answers, { context, ...call } = {}) => {
    await give()
    const outer = {
      runContext: new sdk.RunContext(context),
      signal: call.signal,
    }
    return answerCalls(python.session, answers, {
      signal: call.signal,
      run: ({ name, args }, signal) => {
        if (tools === undefined) throw new Error(`there is no tool ${name}; pass \`tools\` to pythonTool`)
        return tools.invoke(name, args, { ...outer, signal })
      },
      resume: (answered) => calls.run(outer, () => python.resume(answered, call)),
    })
  }
  return Object.assign(tool as AnyTool, { resume })
}

/** Function tools as callbacks of a session. */
class NestedTools {
  readonly callbacks: ToolCallbacks
  readonly #tools: ReadonlyMap<string, AnyTool>
  readonly #sdk: AgentsSdk

  constructor(tools: readonly AnyTool[], sdk: AgentsSdk, calls: CallsInOrder<OuterCall>) {
    this.#sdk = sdk
    for (const [i, tool] of tools.entries()) refuseGuarded(`tools[${i}]`, tool)
    this.callbacks = toolCallbacks(tools.map((tool) => this.#foreign(tool, calls)))
    this.#tools = new Map(Object.keys(this.callbacks).map((name, i) => [name, tools[i] as AnyTool]))
  }

  /** @param callback the tool's name in Python */
  async invoke(callback: string, args: unknown, outer: OuterCall): Promise<unknown> {
    const tool = this.#tools.get(callback)
    if (tool === undefined)
      throw new Error(`there is no tool ${callback}; pass it in \`tools\` of pythonTool`)
    return this.#run(tool, args, outer)
  }

  #foreign(tool: AnyTool, calls: CallsInOrder<OuterCall>): ForeignTool {
    return {
      name: tool.name,
      description: tool.description,
      parameters: tool.parameters,
      call: async (args, { suspend, signal }) => {
        const runContext = calls.current?.runContext ?? new this.#sdk.RunContext()
        if (await tool.needsApproval(runContext, args as never)) return suspend('it needs approval')
        return this.#run(tool, args, { runContext, signal })
      },
    }
  }

  #run(tool: AnyTool, args: unknown, { runContext, signal }: OuterCall): Promise<unknown> {
    const details = signal === undefined ? {} : { signal }
    return this.#sdk.invokeFunctionTool({ tool, runContext, input: JSON.stringify(args), details })
  }
}

/** Guardrails are run by the SDK's runner, which is not involved in calls from Python. */
function refuseGuarded(option: string, tool: AnyTool): void {
  if (typeof tool?.invoke !== 'function') throw new InvalidOptionError(option, 'a function tool', tool)
  const { name, inputGuardrails = [], outputGuardrails = [] } = tool
  if (inputGuardrails.length + outputGuardrails.length === 0) return
  const message = `${option}: ${name} has guardrails, which calls from Python would not pass; check in its \`execute\`, or give it to the agent alone`
  throw new InvalidOptionError(option, 'a function tool without guardrails', name, message)
}

export function outputOf({ text, images }: ModelOutcome): PythonOutput {
  if (images.length === 0) return text
  return [
    { type: 'text', text },
    ...images.map(({ mimeType: mediaType, data }) => ({
      type: 'image' as const,
      image: { data: toBase64(data), mediaType },
    })),
  ]
}
