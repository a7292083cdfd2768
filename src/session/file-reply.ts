// A slot's answer to a request for private files. Owns the check that the answer fits the request, because the slot may be hostile (R3).
import type { FileAnswer, FileRequest, SlotReply } from '../shared/messages/slot.js'

export type FileReply = Extract<SlotReply, { kind: 'file' | 'file-error' }>

/** Whether an answer has the parts that the request asks for. */
export function answers(request: FileRequest, { bytes, names, status }: FileAnswer): boolean {
  switch (request.name) {
    case 'readFile':
      return bytes !== null
    case 'readPart':
      return bytes !== null && bytes.length <= request.length
    case 'list':
      return names !== null
    case 'stat':
      return status !== null
    default:
      return true
  }
}
