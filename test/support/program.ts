// Runs command lines of `brumate` in this process, with the built program.
import { Readable } from 'node:stream'

export const { run } = (await import(
  new URL('../../dist/src/cli/run.js', import.meta.url).href
)) as typeof import('../../src/cli/run.js')

export interface ProgramOutput {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

export async function callProgram(...args: readonly string[]): Promise<ProgramOutput> {
  return callProgramWithInput(undefined, ...args)
}

/** @param input - content of standard input; undefined for none */
export async function callProgramWithInput(
  input: string | Uint8Array | undefined,
  ...args: readonly string[]
): Promise<ProgramOutput> {
  const written = { stdout: '', stderr: '' }
  const stream = (name: 'stdout' | 'stderr') => ({
    write: (text: string) => {
      written[name] += text
    },
  })
  const stdin = input === undefined ? {} : { stdin: Readable.from([Buffer.from(input)]) as NodeJS.ReadStream }
  const streams = { ...stdin, stdout: stream('stdout'), stderr: stream('stderr') }
  const exitCode = await run(args, streams, new AbortController().signal)
  return { exitCode, ...written }
}
