// The outcome of an execution as the result of a tool call: structured content, text, resources. Owns the links to files and long
// texts.
import { Buffer } from 'node:buffer'
import { basename } from 'node:path/posix'
import type { CallToolResult, ContentBlock } from '@modelcontextprotocol/server'
import { mimeTypeOf } from '../presentation/media-types.js'
import { type DescribedOutcome, describeError, describeResult, textOf } from '../presentation/outcome.js'
import { cut } from '../presentation/text.js'
import type { ExecuteResult } from '../session/outcome.js'
import type { Display } from '../shared/display.js'
import { ExecutionError } from '../shared/errors.js'
import { link, text } from './blocks.js'
import { displayBlocks } from './display-blocks.js'
import type { Outputs } from './outputs.js'
import { fileUri } from './uris.js'

export interface ResultOptions {
  readonly session: string
  readonly notes: readonly string[]
  readonly outputs: Outputs
  readonly maxTextLength: number
}

const MAX_FILE_LINKS = 20

export function resultOf(result: ExecuteResult, options: ResultOptions): CallToolResult {
  const texts = new Texts(options)
  const outcome = describeResult(result, { ...options, cut: texts.cut })
  const files = outcome.files
    .filter(({ change }) => change !== 'removed')
    .slice(0, MAX_FILE_LINKS)
    .map(({ path, sizeBytes }) =>
      link(fileUri(options.session, path), basename(path), mimeTypeOf(path), sizeBytes),
    )
  return {
    content: contentOf(outcome, result.displays, [...files, ...texts.links], options),
    structuredContent: { session: options.session, ...outcome },
  }
}

/** `undefined` if the error is not about the code. */
export function resultOfError(error: unknown, options: ResultOptions): CallToolResult | undefined {
  if (!(error instanceof ExecutionError)) return undefined
  const texts = new Texts(options)
  const outcome = describeError(error, { ...options, cut: texts.cut })
  return {
    isError: true,
    content: contentOf(outcome, error.displays, texts.links, options),
    structuredContent: { session: options.session, ...outcome },
  }
}

function contentOf(
  outcome: DescribedOutcome,
  displays: readonly Display[],
  links: readonly ContentBlock[],
  options: ResultOptions,
): ContentBlock[] {
  return [text(textOf(outcome)), ...displayBlocks(displays, options), ...links]
}

/** Cuts texts, and collects links to what was cut. */
class Texts {
  readonly links: ContentBlock[] = []
  readonly #options: ResultOptions

  constructor(options: ResultOptions) {
    this.#options = options
  }

  readonly cut = (whole: string): string => {
    const { outputs, maxTextLength } = this.#options
    const uri = outputs.keep('text/plain', whole)
    this.links.push(link(uri, 'whole text', 'text/plain', Buffer.byteLength(whole)))
    return cut(whole, maxTextLength, `; the whole text is the resource ${uri}`)
  }
}
