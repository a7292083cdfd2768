// id: thread-heap
// title: a slot that runs out of JavaScript memory ends alone
// level: L2
// class: thread-harm
// expect: crash | timeout
// control: outcome
// timeout-ms: 20000
// rss-mib: 2900

export function attack() {
  const all = []
  for (;;) all.push(new Array(1000).fill({}))
}
