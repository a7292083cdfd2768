// id: thread-heap
// title: a slot that runs out of JavaScript memory ends alone
// level: L2
// class: thread-harm
// expect: crash | timeout
// control: outcome
// timeout-ms: 20000

export function attack() {
  const all = []
  // Integers of 1 MB. Copies of arrays take seconds here, because the seal makes V8 copy them item by item.
  for (;;) all.push(1n << BigInt(8_000_000 + all.length))
}
