// Measures CPU time, for claims about the amount of work: other load on the machine does not count.

/** Processor time of this process, over all its threads, while `work` ran, in ms. */
export function cpuMsOf(work: () => unknown): number {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}
