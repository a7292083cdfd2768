// H1: an archive that costs the main thread time. All its bytes are available at once, so only a limit makes this thread stop.
import { StorageError, VfsStorage } from 'brumate'
import { expect, test } from 'vitest'
import { rejectionOf } from '../support/session-code.js'

const BLOCK_BYTES = 512

function head(type: string, size: number): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES)
  block.write('name', 0, 'latin1')
  block.write(size.toString(8), 124, 'latin1')
  block.write(`        ${type}`, 148, 'latin1')
  const sum = block.reduce((all, byte) => all + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0`, 148, 'latin1')
  return block
}

test.each(['x', 'g', 'L', 'K'])(
  'archives with only headers of type %s are rejected after a few headers',
  async (type) => {
    const one = head(type, 0)
    let taken = 0
    function* source(): Generator<Uint8Array> {
      for (; taken < 1_000_000; taken++) yield one
    }
    const { reason } = await rejectionOf(StorageError, VfsStorage.import(source()))
    expect([reason, taken]).toEqual(['EINVAL', 64])
  },
)
