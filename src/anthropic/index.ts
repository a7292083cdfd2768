// The sub-path `brumate/anthropic`: Python as a runnable tool for `client.beta.messages.toolRunner`, whose code calls other runnable tools.
// Owns the form of the tool, and how tools' results become Python values.
import { Buffer } from 'node:buffer'
import type { BetaRunnableTool, BetaToolRunContext } from '@anthropic-ai/sdk/lib/tools/BetaRunnableTool'
import type { ToolError } from '@anthropic-ai/sdk/lib/tools/ToolError'
import type { BetaTool } from '@anthropic-ai/sdk/resources/beta/messages/messages'
import { isFunction } from '../options/check.js'
import { answerCalls, namedError, type PythonAnswers } from '../presentation/answers.js'
import { CallsInOrder } from '../presentation/calls-in-order.js'
import {
  type ModelOutcome,
  PYTHON_ARGUMENTS,
  type PythonCall,
  PythonTool,
  type PythonToolOptions,
  toolName,
} from '../presentation/python-tool.js'
import { type ForeignTool, toolCallbacks } from '../presentation/tool-callbacks.js'
import { toBase64 } from '../shared/base64.js'
import { InvalidOptionError } from '../shared/errors.js'
import { loadClient } from '../store/client-calls.js'

export type { PythonAnswers } from '../presentation/answers.js'
export type { DescribedCall, DescribedError, DescribedOutcome } from '../presentation/outcome.js'
export type {
  ModelImage,
  ModelOutcome,
  PythonCall,
  PythonToolOptions,
  ToolSession,
} from '../presentation/python-tool.js'

/** A runnable tool with its own schema, as made by `betaTool` and `betaZodTool`. */
type NestedTool = BetaRunnableTool & { readonly input_schema: BetaTool.InputSchema }
type Content = Exclude<Awaited<ReturnType<BetaRunnableTool['run']>>, string>

export interface AnthropicPythonOptions extends PythonToolOptions {
  /** The tool's name for the model. Default `run_python`. */
  readonly name?: string
  /** Runnable tools that code calls as `tools.NAME`, instead of the session's callbacks. Default: the session's callbacks. */
  readonly tools?: readonly BetaRunnableTool[]
  /** Whether a human must approve a call of the code. If so, the execution is suspended until `resume`. Default: never. */
  readonly needsApproval?: (call: {
    readonly name: string
    readonly input: unknown
  }) => boolean | Promise<boolean>
}

export type AnthropicPythonTool = BetaRunnableTool<{ code: string }> & {
  /**
   * Continues a suspended execution, in any process. The outcome may be suspended again.
   *
   * @throws InvalidOptionError for an id that is not pending
   */
  resume(answers: PythonAnswers, call?: PythonCall): Promise<ModelOutcome>
}

/**
 * A tool that runs Python in the session.
 *
 * @throws InstallationError if `@anthropic-ai/sdk` is not installed
 * @throws InvalidOptionError
 */
export async function pythonTool(options: AnthropicPythonOptions): Promise<AnthropicPythonTool> {
  const python = new PythonTool(options, ['name', 'tools', 'needsApproval'])
  const name = toolName(options.name)
  isFunction('needsApproval', options.needsApproval)
  if (options.tools !== undefined && !Array.isArray(options.tools))
    throw new InvalidOptionError('tools', 'an array of runnable tools', options.tools)
  const Failed = await loadToolError()
  const calls = new CallsInOrder<BetaToolRunContext | undefined>()
  const tools = options.tools?.map((tool, i) => requireSchema(tool, i))
  const callbacks = tools && toolCallbacks(tools.map((tool) => foreign(tool, options, calls)))
  const toolOf = new Map(Object.keys(callbacks ?? {}).map((name, i) => [name, tools?.[i]]))
  let isGiven = callbacks === undefined
  const give = async () => {
    if (!isGiven && callbacks !== undefined) await python.setCallbacks(callbacks)
    isGiven = true
  }
  return {
    type: 'custom',
    name,
    description: python.describe(callbacks),
    input_schema: { ...PYTHON_ARGUMENTS, required: ['code'] },
    // The session rejects input that is not text, and the model gets that error.
    parse: (input) => Object(input) as { code: string },
    run: ({ code }, context) =>
      calls.run(context, async () => {
        await give()
        const outcome = await python.run(code, { signal: context?.signal ?? undefined })
        const content = contentOf(outcome)
        if (outcome.isError) throw new Failed(content)
        return content
      }),
    resume: async (answers, call = {}) => {
      await give()
      return answerCalls(python.session, answers, {
        signal: call.signal,
        run: ({ name, args }, signal) => {
          const tool = toolOf.get(name)
          if (tool === undefined)
            throw new Error(`there is no tool ${name}; pass it in \`tools\` of pythonTool`)
          return run(tool, args, undefined, signal)
        },
        resume: (answered) => calls.run(undefined, () => python.resume(answered, call)),
      })
    },
  }
}

function foreign(
  tool: NestedTool,
  { needsApproval }: AnthropicPythonOptions,
  calls: CallsInOrder<BetaToolRunContext | undefined>,
): ForeignTool {
  const { name, input_schema: parameters } = tool
  return {
    name,
    description: 'description' in tool ? tool.description : undefined,
    parameters: { ...parameters },
    call: async (input, { suspend, signal }) => {
      if (await needsApproval?.({ name, input })) return suspend('it needs approval')
      return run(tool, input, calls.current, signal)
    },
  }
}

/** The tool's result as a Python value: text, or a list of parts, with images as bytes. */
async function run(
  tool: NestedTool,
  input: unknown,
  outer: BetaToolRunContext | undefined,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  const toolUse = { ...outer?.toolUse, name: tool.name, input } as BetaToolRunContext['toolUse']
  const result = await tool.run(tool.parse(input), { toolUse, toolUseBlock: toolUse, signal })
  if (typeof result === 'string') return result
  if (!Array.isArray(result) || !result.every((part) => typeof part === 'object' && part !== null))
    throw namedError('TypeError', `${tool.name}: the tool returned neither text nor a list of content blocks`)
  if (result.every(({ type }) => type === 'text'))
    return result.map((part) => (part.type === 'text' ? part.text : '')).join('\n')
  return result.map((part) =>
    part.type === 'image' && part.source.type === 'base64'
      ? {
          type: 'image',
          mediaType: part.source.media_type,
          data: new Uint8Array(Buffer.from(part.source.data, 'base64')),
        }
      : structuredClone(part),
  )
}

function contentOf({ text, images }: ModelOutcome): Content {
  return [
    { type: 'text', text },
    ...images.map(({ mimeType, data }) => ({
      type: 'image' as const,
      source: { type: 'base64' as const, media_type: mimeType, data: toBase64(data) },
    })),
  ]
}

function requireSchema(tool: BetaRunnableTool, i: number): NestedTool {
  if (typeof tool?.run === 'function' && 'input_schema' in tool) return tool as NestedTool
  throw new InvalidOptionError(
    `tools[${i}]`,
    'a runnable tool with an `input_schema`, as betaTool makes them',
    tool,
  )
}

/** @throws InstallationError */
async function loadToolError(): Promise<typeof ToolError> {
  const load = () => import('@anthropic-ai/sdk/lib/tools/ToolError')
  return (await loadClient('@anthropic-ai/sdk', load)).ToolError
}
