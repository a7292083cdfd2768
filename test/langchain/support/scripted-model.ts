// A chat model with scripted answers. Records the messages and tools of each turn.
import { BaseChatModel } from '@langchain/core/language_models/chat_models'
import { AIMessage, type BaseMessage } from '@langchain/core/messages'

/** A tool call, or the final text. */
export type Turn = string | { readonly name: string; readonly args: Record<string, unknown> }

export class ScriptedModel extends BaseChatModel {
  /** Messages of each turn. */
  readonly seen: BaseMessage[][] = []
  /** Names of the tools offered in each turn. */
  readonly toolNames: string[][] = []
  readonly #turns: Turn[]
  #bound: string[] = []

  constructor(...turns: Turn[]) {
    super({})
    this.#turns = turns
  }

  override _llmType(): string {
    return 'scripted'
  }

  override bindTools(tools: readonly unknown[]): this {
    this.#bound = tools.map((tool) => Object(tool).name)
    return this
  }

  override async _generate(messages: BaseMessage[]) {
    this.seen.push(messages)
    this.toolNames.push(this.#bound)
    const turn = this.#turns.shift() ?? 'done'
    const message =
      typeof turn === 'string'
        ? new AIMessage(turn)
        : new AIMessage({
            content: '',
            tool_calls: [{ ...turn, id: `call_${this.seen.length}`, type: 'tool_call' }],
          })
    return { generations: [{ message, text: typeof turn === 'string' ? turn : '' }] }
  }
}

/** A turn that runs Python. */
export function python(code: string): Turn {
  return { name: 'run_python', args: { code } }
}
