// id: thread-stop-words
// title: overwriting the shared words for stopping does not keep a worker alive
// level: L2
// class: thread-harm
// expect: timeout
// control: outcome
// timeout-ms: 100

const WORDS = [0, 1, 2, -1, 2 ** 31 - 1, -(2 ** 31)]

export function attack({ task }) {
  const words = new Int32Array(task.interrupt)
  for (let turn = 0; ; turn++) words.fill(WORDS[turn % WORDS.length])
}
