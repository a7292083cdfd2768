// Reads bytes that lie in several pieces, from the first to the last. Owns the position; who has the pieces keeps them as they are.

export class PieceReader {
  readonly #pieces: readonly Uint8Array[]
  #index = 0
  /** In the piece. */
  #at = 0

  constructor(pieces: readonly Uint8Array[]) {
    this.#pieces = pieces
  }

  /** Copies the next `count` bytes to `into`, at `at`. There must be so many. */
  read(into: Uint8Array, at: number, count: number): void {
    for (let done = 0; done < count; ) {
      const bytes = this.#next(count - done)
      into.set(bytes, at + done)
      done += bytes.length
    }
  }

  /** The next `count` bytes as views of the pieces. There must be so many. */
  views(count: number): Uint8Array[] {
    const views: Uint8Array[] = []
    for (let done = 0; done < count; done += views.at(-1)?.length ?? 0) views.push(this.#next(count - done))
    return views
  }

  /** At least one byte, at most `count`. */
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
