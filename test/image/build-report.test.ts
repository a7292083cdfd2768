// What a program prints while its first manager builds the image, which takes seconds.
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { reportOnStderr, standardProgress } from '../../src/image/build-report.js'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

function stream(isTTY: boolean) {
  const lines: string[] = []
  return { isTTY, lines, write: (text: string) => lines.push(text) }
}

test('without a terminal, a build of more than two seconds prints one line', () => {
  const log = stream(false)
  const report = reportOnStderr(undefined, log)
  report('building')
  vi.advanceTimersByTime(1_900)
  expect(log.lines).toEqual([])
  vi.advanceTimersByTime(60_000)
  report('built')
  expect(log.lines).toEqual([
    expect.stringMatching(/^brumate: building the Python image .*docs\/deployment\.md\n$/),
  ])
})

test.each(['built', 'failed'] as const)(
  'without a terminal, a build that is %s sooner prints nothing',
  (end) => {
    const log = stream(false)
    const report = reportOnStderr(undefined, log)
    report('building')
    report(end)
    vi.advanceTimersByTime(60_000)
    expect(log.lines).toEqual([])
  },
)

test('a long wait for another process is reported, and then the build that follows it', () => {
  const log = stream(false)
  const report = reportOnStderr('it', log)
  report('waiting')
  vi.advanceTimersByTime(3_000)
  report('building')
  vi.advanceTimersByTime(3_000)
  expect(log.lines.map((line) => line.split(',')[0]?.trim())).toEqual([
    'brumate: waiting for another process that builds it',
    'brumate: building it',
  ])
})

test.each([
  ['built', /^done in \d+\.\d s\n$/],
  ['failed', /^failed\n$/],
] as const)('on a terminal, the line appears at once and is completed when the build is %s', (end, last) => {
  const terminal = stream(true)
  const report = reportOnStderr(undefined, terminal)
  report('building')
  expect(terminal.lines).toEqual(['brumate: building the Python image (once per version) ... '])
  report(end)
  expect(terminal.lines[1]).toMatch(last)
})

test('a program’s onProgress receives steps instead', () => {
  const steps: object[] = []
  const report = standardProgress((step) => steps.push(step))
  for (const progress of ['waiting', 'building', 'built'] as const) report?.(progress)
  expect(steps).toEqual([
    { step: 'build', done: 0, total: 1 },
    { step: 'build', done: 1, total: 1 },
  ])
  expect(standardProgress(undefined)).toBeUndefined()
})
