// id: thread-heap
// title: a slot that runs out of JavaScript memory ends alone
// level: L2
// class: thread-harm
// expect: crash | timeout
// control: outcome
// timeout-ms: 20000

export function attack() {
  const all = []
  const some = Array.from({ length: 100_000 }, () => 1.5)
  // Not `new Array(n)`: V8 in Node 24 and 26 compiles such a loop without the check that lets a thread be terminated.
  for (;;) all.push(some.slice())
}
