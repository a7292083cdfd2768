// id: out-of-memory
// title: a worker that runs out of memory
// level: L3
// class: worker-ends
// expect: error
// control: outcome
// timeout-ms: 1000

export default () => {
  const all = []
  const some = Array.from({ length: 100_000 }, () => 1.5)
  // Not `new Array(n)`: V8 in Node 24 and 26 compiles such a loop without the check that lets a thread be terminated.
  for (;;) all.push(some.slice())
}
