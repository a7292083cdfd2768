// id: thread-bad-message
// title: a real slot that sends an invalid message is ended
// level: L2
// class: thread-harm
// expect: crash
// control: outcome

export function attack({ task }) {
  task.port.postMessage({ event: 'nope' })
}
