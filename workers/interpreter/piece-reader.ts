// Reads bytes that are spread over several pieces, in order. Owns the position; the owner of the pieces must not change them.

export class PieceReader {
  readonly #pieces: readonly Uint8Array[]
  #index = 0
  /** Position in the piece. */
  #at = 0

  constructor(pieces: readonly Uint8Array[]) {
    this.#pieces = pieces
  }

  /** Copies the next `count` bytes to `into`, at `at`. @throws RangeError if there are fewer */
  read(into: Uint8Array, at: number, count: number): void {
    for (let done = 0; done < count; ) {
      const bytes = this.#next(count - done)
      into.set(bytes, at + done)
      done += bytes.length
    }
  }

  /** The next `count` bytes as views of the pieces. @throws RangeError if there are fewer */
  views(count: number): Uint8Array[] {
    const views: Uint8Array[] = []
    for (let done = 0; done < count; done += views.at(-1)?.length ?? 0) views.push(this.#next(count - done))
    return views
  }

  /** The next bytes in one view: at least one, at most `count`. */
  #next(count: number): Uint8Array {
    let piece = this.#pieces[this.#index]
    while (piece !== undefined && this.#at >= piece.length) {
      this.#index += 1
      this.#at = 0
      piece = this.#pieces[this.#index]
    }
    if (piece === undefined) throw new RangeError('there are fewer bytes')
    const bytes = piece.subarray(this.#at, this.#at + count)
    this.#at += bytes.length
    return bytes
  }
}
