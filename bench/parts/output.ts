// The cost of output: one megabyte printed in lines, and in one piece, captured and passed to the caller.
import { SessionManager } from 'brumate'
import { PlainPyodide } from '../baselines/pyodide.js'
import { NativePython } from '../baselines/python.js'
import type { Runner } from '../baselines/runner.js'
import type { Context } from '../context.js'
import { expectEqual, median, samplesMs } from '../measure.js'
import type { Row } from '../report.js'

const ROUNDS = 15
const MEGABYTE = 2 ** 20
const CASES = [
  { metric: 'execute with 1 MiB of output, one print', code: `print('x' * ${MEGABYTE - 1})` },
  {
    metric: 'execute with 1 MiB of output, 16,384 lines',
    code: "for _ in range(16_384):\n    print('x' * 63)",
  },
] as const

export async function output({ python }: Context): Promise<Row[]> {
  await using manager = await SessionManager.create({ slots: 1 })
  await using session = await manager.createSession()
  const plain = new PlainPyodide()
  const native = python ? new NativePython(python) : undefined
  const rows: Row[] = []
  for (const { metric, code } of CASES) {
    const brumate = await megabyteMs(async () => (await session.execute(code)).stdout)
    const pyodide = await megabyteMs(() => printed(plain, code))
    const other = native ? { python: await megabyteMs(() => printed(native, code)) } : {}
    rows.push({ metric, unit: 'ms', brumate, pyodide, ...other })
  }
  await Promise.all([plain.stop(), native?.stop()])
  return rows
}

async function megabyteMs(run: () => Promise<string>): Promise<number> {
  return median(
    await samplesMs(ROUNDS, async () => {
      expectEqual((await run()).length, MEGABYTE, 'characters of output')
    }),
  )
}

async function printed(runner: Runner, code: string): Promise<string> {
  return (await runner.run(code)).stdout
}
