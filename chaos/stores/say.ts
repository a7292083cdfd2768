// What the processes of a run have in common: they say a line at a time, synchronously, so that what is said was said before a kill.
import { writeSync } from 'node:fs'

export function say(...words: readonly (string | number | boolean)[]): void {
  const line = Buffer.from(`${words.join(' ')}\n`)
  for (let written = 0; written < line.length; )
    try {
      written += writeSync(1, line, written)
    } catch (error) {
      // The parent has not read yet.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
    }
}

/** Says that it is ready, and waits until it is told to begin. Ends with the parent, however that ends. */
export async function begun(): Promise<void> {
  process.stdin.once('end', () => process.exit(1))
  say('ready')
  await new Promise((resolve) => process.stdin.once('data', resolve))
}

export const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
