// Reports that an image is being built, because that takes seconds in which a program would seem to hang. Owns the lines on stderr.

/** `waiting`: another process is building the image. The others are reported only by the process that builds. */
export type ImageProgress = 'waiting' | 'building' | 'built' | 'failed'

interface Stream {
  readonly isTTY?: boolean
  write(text: string): unknown
}

/** Outside of a terminal, a line is written only if the build takes longer than this. */
const PATIENCE_MS = 2_000

/** On a terminal: one line, at once, with the time at its end. Elsewhere: one line after two seconds. */
export function reportOnStderr(
  what = 'the Python image (once per version)',
  stream: Stream = process.stderr,
): (progress: ImageProgress) => void {
  const startedMs = performance.now()
  let timer: NodeJS.Timeout | undefined
  const seconds = () => ((performance.now() - startedMs) / 1000).toFixed(1)
  const later = (text: string) => {
    clearTimeout(timer)
    timer = setTimeout(() => stream.write(`brumate: ${text}\n`), PATIENCE_MS)
    timer.unref()
  }
  return (progress) => {
    switch (progress) {
      case 'waiting':
        return later(`waiting for another process that builds ${what}`)
      case 'building':
        if (!stream.isTTY)
          return later(
            `building ${what}, which takes some seconds; to ship it ready-made, see docs/deployment.md`,
          )
        clearTimeout(timer)
        stream.write(`brumate: building ${what} ... `)
        return
      case 'built':
      case 'failed':
        clearTimeout(timer)
        if (stream.isTTY) stream.write(progress === 'built' ? `done in ${seconds()} s\n` : 'failed\n')
    }
  }
}

/** Adapts a user's progress listener to the standard image, which is built in one step. Returns undefined if there is no listener. */
export function standardProgress(
  onProgress: ((progress: { step: 'build'; done: number; total: number }) => void) | undefined,
): ((progress: ImageProgress) => void) | undefined {
  if (onProgress === undefined) return undefined
  return (progress) => {
    if (progress === 'building') onProgress({ step: 'build', done: 0, total: 1 })
    if (progress === 'built') onProgress({ step: 'build', done: 1, total: 1 })
  }
}
