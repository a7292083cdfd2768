// The sub-path `brumate/ai-sdk`: Python as a tool of the AI SDK, and as a tool caller of type `local`, whose code calls other tools. Owns
// the form of the tool's output, and which tools code can call.
import type { Experimental_ToolCallerTool, Tool, ToolExecutionOptions, ToolSet } from 'ai'
import { isFunction, isRecord } from '../options/check.js'
import { answerCalls, type PythonAnswers } from '../presentation/answers.js'
import { CallsInOrder } from '../presentation/calls-in-order.js'
import type { DescribedOutcome } from '../presentation/outcome.js'
import {
  type ModelOutcome,
  PYTHON_ARGUMENTS,
  type PythonCall,
  PythonTool,
  type PythonToolOptions,
} from '../presentation/python-tool.js'
import { toBase64 } from '../shared/base64.js'
import { type NestedApproval, type NestedCall, NestedTools } from './nested-tools.js'
import { type AiSdk, loadAiSdk } from './sdk.js'

export type { PythonAnswers } from '../presentation/answers.js'
export type { DescribedCall, DescribedError, DescribedOutcome } from '../presentation/outcome.js'
export type { PythonCall, PythonToolOptions, ToolSession } from '../presentation/python-tool.js'
export type { NestedApproval, NestedCall }

export interface AiPythonOptions extends PythonToolOptions {
  /**
   * Tools that code calls as `tools.NAME`, instead of the session's callbacks. Default: those that `experimental_toolCallers` routes to
   * this tool; if there are none, the session's callbacks. Pass tools here if calls are approved in another process.
   */
  readonly tools?: ToolSet
  /**
   * Decides whether a call of the code may run, like `toolApproval` of `generateText` for calls of a model. `user-approval` suspends the
   * execution until `resume`. Default: the tool's own `needsApproval` decides.
   */
  readonly toolApproval?: NestedApproval
}

/** Plain JSON, so that messages that contain it can be stored. */
export interface PythonOutput {
  /** What the model reads. */
  readonly text: string
  readonly isError: boolean
  /** Figures and other images, in base64. */
  readonly images: readonly { readonly mediaType: string; readonly data: string }[]
  readonly result: DescribedOutcome
}

export type AiPythonTool = Experimental_ToolCallerTool<Tool<{ code: string }, PythonOutput>> & {
  /**
   * Continues a suspended execution, in any process. The output may be suspended again.
   *
   * @throws InvalidOptionError for an id that is not pending
   */
  resume(answers: PythonAnswers, call?: PythonCall): Promise<PythonOutput>
}

/**
 * A tool that runs Python in the session, for `generateText`, `streamText` and agents. Name it in `experimental_toolCallers`, and its code
 * can call the tools that are routed to it.
 *
 * @throws InstallationError if `ai` is not installed
 * @throws InvalidOptionError
 */
export async function pythonTool(options: AiPythonOptions): Promise<AiPythonTool> {
  const python = new PythonTool(options, ['tools', 'toolApproval'])
  isFunction('toolApproval', options.toolApproval)
  if (options.tools !== undefined) isRecord('tools', options.tools)
  return new AiPython(await loadAiSdk(), python, options).tool
}

/** The call that ran the code belongs to an earlier run, so its messages are not available. */
const RESUMED: ToolExecutionOptions<unknown> = { toolCallId: 'resumed', messages: [], context: undefined }

class AiPython {
  readonly tool: AiPythonTool
  readonly #sdk: AiSdk
  readonly #python: PythonTool
  readonly #options: AiPythonOptions
  readonly #calls = new CallsInOrder<ToolExecutionOptions<unknown>>()
  /** The tools that the session has as callbacks now. */
  #given: NestedTools | undefined
  #bound: { readonly tools: ToolSet; readonly nested: NestedTools } | undefined

  constructor(sdk: AiSdk, python: PythonTool, options: AiPythonOptions) {
    this.#sdk = sdk
    this.#python = python
    this.#options = options
    const own = options.tools && this.#nested(options.tools)
    const caller = sdk.experimental_toolCaller(this.#toolWith(own), {
      type: 'local',
      bind: (tools) => this.#toolWith(Object.keys(tools).length === 0 ? own : this.#bind(tools)),
    })
    const resume: AiPythonTool['resume'] = (answers, call = {}) => this.#resume(own, answers, call)
    this.tool = Object.defineProperty(caller, 'resume', { value: resume }) as AiPythonTool
  }

  #toolWith(nested: NestedTools | undefined): Tool<{ code: string }, PythonOutput> {
    return {
      description: this.#python.describe(nested?.callbacks),
      inputSchema: this.#sdk.jsonSchema<{ code: string }>({ ...PYTHON_ARGUMENTS, required: ['code'] }),
      execute: (input, options) =>
        this.#calls.run(options, async () => {
          await this.#give(nested)
          return outputOf(await this.#python.run(input.code, { signal: options.abortSignal }))
        }),
      toModelOutput: ({ output }) => modelOutput(output),
    }
  }

  async #resume(
    own: NestedTools | undefined,
    answers: PythonAnswers,
    call: PythonCall,
  ): Promise<PythonOutput> {
    const nested = own ?? this.#given
    await this.#give(nested)
    const outcome = await answerCalls(this.#python.session, answers, {
      signal: call.signal,
      run: ({ id, name, args }, abortSignal) => {
        if (nested === undefined) throw new Error(`there is no tool ${name}; pass \`tools\` to pythonTool`)
        return nested.runApproved(name, args, { ...RESUMED, toolCallId: id, abortSignal })
      },
      resume: (answered) => this.#calls.run(RESUMED, () => this.#python.resume(answered, call)),
    })
    return outputOf(outcome)
  }

  async #give(nested: NestedTools | undefined): Promise<void> {
    if (nested === undefined || nested === this.#given) return
    await this.#python.setCallbacks(nested.callbacks)
    this.#given = nested
  }

  /** Called by the SDK before each step, mostly with the same tools, so their conversion is cached. */
  #bind(tools: ToolSet): NestedTools {
    const names = Object.keys(tools)
    const isSame =
      this.#bound !== undefined &&
      names.length === Object.keys(this.#bound.tools).length &&
      names.every((name) => this.#bound?.tools[name] === tools[name])
    if (!isSame) this.#bound = { tools, nested: this.#nested(tools) }
    return this.#bound?.nested as NestedTools
  }

  #nested(tools: ToolSet): NestedTools {
    const { toolApproval } = this.#options
    return new NestedTools(tools, { sdk: this.#sdk, calls: this.#calls, toolApproval })
  }
}

function outputOf({ text, isError, images, structured }: ModelOutcome): PythonOutput {
  return {
    text,
    isError,
    images: images.map(({ mimeType, data }) => ({
      mediaType: mimeType,
      data: toBase64(data),
    })),
    result: structured,
  }
}

function modelOutput({ text, isError, images }: PythonOutput) {
  if (images.length === 0)
    return isError ? { type: 'error-text' as const, value: text } : { type: 'text' as const, value: text }
  const files = images.map(({ mediaType, data }) => ({
    type: 'file' as const,
    mediaType,
    data: { type: 'data' as const, data },
  }))
  return { type: 'content' as const, value: [{ type: 'text' as const, text }, ...files] }
}
