// Boots that failed in a row, by image. After a few, waiting callers get an error instead of another boot.
import { InterpreterCrashedError } from '../shared/errors.js'

const MAX_FAILED_BOOTS = 3

export class FailedBoots {
  readonly #inRow = new Map<string, number>()

  /** Returns the error for the callers that wait for this image; undefined if another boot should be tried. */
  add(imageId: string, reason: string): InterpreterCrashedError | undefined {
    const failed = (this.#inRow.get(imageId) ?? 0) + 1
    this.#inRow.set(imageId, failed)
    if (failed < MAX_FAILED_BOOTS) return undefined
    const message = `the last ${MAX_FAILED_BOOTS} workers failed to boot; the last reason: ${reason}`
    return new InterpreterCrashedError(message, 'not-started')
  }

  /** Call when a slot of the image has booted. */
  clear(imageId: string): void {
    this.#inRow.delete(imageId)
  }
}
