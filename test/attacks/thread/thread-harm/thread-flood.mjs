// id: thread-flood
// title: a real slot that floods the main thread is ended
// level: L2
// class: thread-harm
// expect: crash | timeout | limit
// control: outcome
// timeout-ms: 3000

export function attack({ task }) {
  const text = 'x'.repeat(65_536)
  for (;;) task.port.postMessage({ event: 'output', id: 1, stream: 1, text })
}
