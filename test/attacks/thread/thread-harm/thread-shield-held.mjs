// id: thread-shield-held
// title: a thread that always claims that it must not be ended is ended
// level: L2
// class: thread-harm
// expect: timeout
// control: outcome
// timeout-ms: 100

/** The second word says that something is under way that must not be ended; each value it might have is claimed in turn. */
export function attack({ task }) {
  const words = new Int32Array(task.interrupt)
  for (let value = 0; ; value = (value + 1) % 8)
    for (let turn = 0; turn < 1e6; turn++) Atomics.store(words, 1, value)
}
