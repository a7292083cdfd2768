// id: flood-parent-port
// title: endless messages to the worker’s parent
// level: L3
// class: message-floods
// expect: crash
// control: outcome
// timeout-ms: 3000

export default ({ parentPort }) => {
  for (;;) parentPort.postMessage(1)
}
