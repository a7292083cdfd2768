// Measures CPU time, for claims about how much work something takes: other load on the machine does not count.

/** Processor time of this process, all its threads, while `work` ran, in ms. */
export function cpuMsOf(work: () => unknown): number {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}
