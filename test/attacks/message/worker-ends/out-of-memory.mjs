// id: out-of-memory
// title: runs out of memory
// level: L3
// class: worker-ends
// expect: error
// control: outcome
// timeout-ms: 3000

export default () => {
  const all = []
  for (;;) all.push(new Array(1000).fill({}))
}
