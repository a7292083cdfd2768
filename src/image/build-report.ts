// Says that an image is built: it takes seconds, in which a program seems to hang. Owns the lines on stderr.

/** `waiting`: another process builds. The others only where this one does. */
export type ImageProgress = 'waiting' | 'building' | 'built' | 'failed'

interface Stream {
  readonly isTTY?: boolean
  write(text: string): unknown
}

/** A log gets a line only if the build takes longer than this. */
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

/** Reports an image without packages, which is made in one step, to a listener that users give; undefined where there is none. */
export function standardProgress(
  onProgress: ((progress: { step: 'build'; done: number; total: number }) => void) | undefined,
): ((progress: ImageProgress) => void) | undefined {
  if (onProgress === undefined) return undefined
  return (progress) => {
    if (progress === 'building') onProgress({ step: 'build', done: 0, total: 1 })
    if (progress === 'built') onProgress({ step: 'build', done: 1, total: 1 })
  }
}
