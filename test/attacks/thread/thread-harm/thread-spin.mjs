// id: thread-spin
// title: JavaScript in a slot that never returns is ended by the deadline
// level: L2
// class: thread-harm
// expect: timeout
// control: outcome
// timeout-ms: 100

export function attack() {
  for (;;);
}
