// Shared by the processes of a run: they write whole lines synchronously, so that a line written before a kill is not lost.
import { writeSync } from 'node:fs'

export function say(...words: readonly (string | number | boolean)[]): void {
  const line = Buffer.from(`${words.join(' ')}\n`)
  for (let written = 0; written < line.length; )
    try {
      written += writeSync(1, line, written)
    } catch (error) {
      // The pipe is full, because the parent has not read yet.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
    }
}

/** Reports that it is ready, and waits until it is told to begin. Ends when the parent ends, however that happens. */
export async function begun(): Promise<void> {
  process.stdin.once('end', () => process.exit(1))
  say('ready')
  await new Promise((resolve) => process.stdin.once('data', resolve))
}

export const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
